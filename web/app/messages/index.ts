/** The texts of the app, in the language that is built in. */
import { en } from './en';

export type Messages = typeof en;
export const messages: Messages = en;
