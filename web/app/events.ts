/** The names of recorded actions, in the activity log and in the settings. Pure. */
import { messages } from './messages';

/** Return the name of an action. An unknown action is turned into words: `thing.made` → `Thing made`. */
export function eventName(action: string): string {
  const words = action.replaceAll(/[._]/g, ' ');
  return messages.app.events[action] ?? words[0]?.toUpperCase() + words.slice(1);
}
