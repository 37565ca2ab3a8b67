/** The German texts of the app, of machine quality. */
import type { Messages } from '.';
import { app } from './de/app';
import { aside } from './de/aside';
import { buttons } from './de/buttons';
import { composer } from './de/composer';
import { connection } from './de/connection';
import { conversation } from './de/conversation';
import { dashboard } from './de/dashboard';
import { details } from './de/details';
import { dialogs } from './de/dialogs';
import { directory } from './de/directory';
import { embed } from './de/embed';
import { emoji } from './de/emoji';
import { evidence } from './de/evidence';
import { files } from './de/files';
import { glossary } from './de/glossary';
import { groups } from './de/groups';
import { imports } from './de/imports';
import { keys } from './de/keys';
import { message } from './de/message';
import { moderation } from './de/moderation';
import { notify } from './de/notify';
import { parts } from './de/parts';
import { people } from './de/people';
import { presence } from './de/presence';
import { problems } from './de/problems';
import { reset } from './de/reset';
import { search } from './de/search';
import { security } from './de/security';
import { settings } from './de/settings';
import { sidebar } from './de/sidebar';
import { switcher } from './de/switcher';
import { team } from './de/team';
import { timeline } from './de/timeline';
import { triage } from './de/triage';
import { welcome } from './de/welcome';

export const de: Messages = {
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
