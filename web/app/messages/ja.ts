/** The Japanese texts of the app. */
import type { Messages } from '.';
import { app } from './ja/app';
import { aside } from './ja/aside';
import { buttons } from './ja/buttons';
import { composer } from './ja/composer';
import { connection } from './ja/connection';
import { conversation } from './ja/conversation';
import { dashboard } from './ja/dashboard';
import { details } from './ja/details';
import { dialogs } from './ja/dialogs';
import { directory } from './ja/directory';
import { embed } from './ja/embed';
import { emoji } from './ja/emoji';
import { evidence } from './ja/evidence';
import { files } from './ja/files';
import { glossary } from './ja/glossary';
import { groups } from './ja/groups';
import { imports } from './ja/imports';
import { keys } from './ja/keys';
import { message } from './ja/message';
import { moderation } from './ja/moderation';
import { notify } from './ja/notify';
import { parts } from './ja/parts';
import { people } from './ja/people';
import { presence } from './ja/presence';
import { problems } from './ja/problems';
import { reset } from './ja/reset';
import { search } from './ja/search';
import { security } from './ja/security';
import { settings } from './ja/settings';
import { sidebar } from './ja/sidebar';
import { switcher } from './ja/switcher';
import { team } from './ja/team';
import { timeline } from './ja/timeline';
import { triage } from './ja/triage';
import { welcome } from './ja/welcome';

export const ja: Messages = {
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
