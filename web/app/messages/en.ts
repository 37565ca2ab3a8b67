/** The English texts of the app: a section for each folder of `web/app`, and `app` for the files at its top. */
import { app } from './en/app';
import { connection } from './en/connection';
import { conversation } from './en/conversation';
import { directory } from './en/directory';
import { notify } from './en/notify';
import { parts } from './en/parts';
import { presence } from './en/presence';
import { reset } from './en/reset';
import { security } from './en/security';
import { settings } from './en/settings';
import { sidebar } from './en/sidebar';
import { switcher } from './en/switcher';
import { welcome } from './en/welcome';

export const en = {
  app,
  connection,
  conversation,
  directory,
  notify,
  parts,
  presence,
  reset,
  security,
  settings,
  sidebar,
  switcher,
  welcome,
};
