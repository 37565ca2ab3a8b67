/** The label of a conversation in running text: `#general`, or the names of a group's members. Pure. */
import type { Chat } from './chat.svelte';
import type { Named } from './names';

export function labelOf(chat: Pick<Chat, 'title'>, conversation: Named): string {
  return (conversation.kind === 'channel' ? '#' : '') + chat.title(conversation);
}
