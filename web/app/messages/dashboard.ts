/** The texts of the app, with those of the dashboard, which load with its screens. The other languages are whole. */
import { en } from './en';
import { dashboard } from './en/dashboard';
import { glossary } from './en/glossary';

Object.assign(en, { dashboard, glossary });

export { messages } from '.';
