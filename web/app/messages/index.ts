/** The texts of the app in the language in use; today there is one. */
import { en } from './en';

export type Messages = typeof en;
export const messages: Messages = en;
