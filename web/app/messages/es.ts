/** The Spanish texts of the app, of machine quality. */
import type { Messages } from '.';
import { app } from './es/app';
import { aside } from './es/aside';
import { buttons } from './es/buttons';
import { composer } from './es/composer';
import { connection } from './es/connection';
import { conversation } from './es/conversation';
import { dashboard } from './es/dashboard';
import { details } from './es/details';
import { dialogs } from './es/dialogs';
import { directory } from './es/directory';
import { embed } from './es/embed';
import { emoji } from './es/emoji';
import { evidence } from './es/evidence';
import { files } from './es/files';
import { glossary } from './es/glossary';
import { groups } from './es/groups';
import { imports } from './es/imports';
import { keys } from './es/keys';
import { message } from './es/message';
import { moderation } from './es/moderation';
import { notify } from './es/notify';
import { parts } from './es/parts';
import { people } from './es/people';
import { presence } from './es/presence';
import { problems } from './es/problems';
import { reset } from './es/reset';
import { search } from './es/search';
import { security } from './es/security';
import { settings } from './es/settings';
import { sidebar } from './es/sidebar';
import { switcher } from './es/switcher';
import { team } from './es/team';
import { timeline } from './es/timeline';
import { triage } from './es/triage';
import { welcome } from './es/welcome';

export const es: Messages = {
  app,
  aside,
  buttons,
  composer,
  connection,
  conversation,
  dashboard,
  details,
  dialogs,
  directory,
  embed,
  emoji,
  evidence,
  files,
  glossary,
  groups,
  imports,
  keys,
  message,
  moderation,
  notify,
  parts,
  people,
  presence,
  problems,
  reset,
  search,
  security,
  settings,
  sidebar,
  switcher,
  team,
  timeline,
  triage,
  welcome,
};
