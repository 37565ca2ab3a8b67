/** The English texts of the app: a section for each folder of `web/app`, and `app` for the files at its top. */
import { app } from './en/app';
import { aside } from './en/aside';
import { buttons } from './en/buttons';
import { composer } from './en/composer';
import { connection } from './en/connection';
import { conversation } from './en/conversation';
import type { dashboard } from './en/dashboard';
import { details } from './en/details';
import { dialogs } from './en/dialogs';
import { directory } from './en/directory';
import { embed } from './en/embed';
import { emoji } from './en/emoji';
import { evidence } from './en/evidence';
import { files } from './en/files';
import type { glossary } from './en/glossary';
import { groups } from './en/groups';
import { imports } from './en/imports';
import { keys } from './en/keys';
import { message } from './en/message';
import { moderation } from './en/moderation';
import { notify } from './en/notify';
import { parts } from './en/parts';
import { people } from './en/people';
import { presence } from './en/presence';
import { problems } from './en/problems';
import { reset } from './en/reset';
import { search } from './en/search';
import { security } from './en/security';
import { settings } from './en/settings';
import { sidebar } from './en/sidebar';
import { switcher } from './en/switcher';
import { team } from './en/team';
import { timeline } from './en/timeline';
import { triage } from './en/triage';
import { welcome } from './en/welcome';

const common = {
  app,
  aside,
  buttons,
  composer,
  connection,
  conversation,
  details,
  dialogs,
  directory,
  embed,
  emoji,
  evidence,
  files,
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

/** `dashboard.ts` brings the texts of the dashboard, which few users see, with its screens. */
export const en = common as typeof common & { dashboard: typeof dashboard; glossary: typeof glossary };
