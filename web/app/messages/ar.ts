/** The Arabic texts of the app. */
import type { Messages } from '.';
import { app } from './ar/app';
import { aside } from './ar/aside';
import { buttons } from './ar/buttons';
import { composer } from './ar/composer';
import { connection } from './ar/connection';
import { conversation } from './ar/conversation';
import { dashboard } from './ar/dashboard';
import { details } from './ar/details';
import { dialogs } from './ar/dialogs';
import { directory } from './ar/directory';
import { embed } from './ar/embed';
import { emoji } from './ar/emoji';
import { evidence } from './ar/evidence';
import { files } from './ar/files';
import { glossary } from './ar/glossary';
import { groups } from './ar/groups';
import { imports } from './ar/imports';
import { keys } from './ar/keys';
import { message } from './ar/message';
import { moderation } from './ar/moderation';
import { notify } from './ar/notify';
import { parts } from './ar/parts';
import { people } from './ar/people';
import { presence } from './ar/presence';
import { problems } from './ar/problems';
import { reset } from './ar/reset';
import { search } from './ar/search';
import { security } from './ar/security';
import { settings } from './ar/settings';
import { sidebar } from './ar/sidebar';
import { switcher } from './ar/switcher';
import { team } from './ar/team';
import { timeline } from './ar/timeline';
import { triage } from './ar/triage';
import { welcome } from './ar/welcome';

export const ar: Messages = {
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
