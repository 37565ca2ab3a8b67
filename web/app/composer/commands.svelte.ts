/** Slash commands of a composer: those that the conversation has, and the answer to the last one, for the user alone. */
import { asProblem, type Id, newClientId } from '../../client';
import type { CommandResult, SlashCommand, SlashCommands } from '../../client/schema';
import type { Chat } from '../chat.svelte';
import { messages as m } from '../messages';
import type { commandIn } from './completion';

type Command = NonNullable<ReturnType<typeof commandIn>>;

/** Milliseconds for which a list of commands is used. */
const FRESH = 60_000;
const lists = new Map<Id, { at: number; commands: Promise<SlashCommand[]> }>();

const path = (conversation: Id): string => `/api/chat/conversations/${conversation}/commands`;

/** Return the commands of a conversation. They are requested at most once a minute. */
export function commandsOf(chat: Chat, conversation: Id): Promise<SlashCommand[]> {
  const known = lists.get(conversation);
  if (known && Date.now() - known.at < FRESH) return known.commands;
  const asked = chat.api.call<SlashCommands>('GET', path(conversation)).then(({ commands }) => commands);
  asked.catch(() => lists.delete(conversation));
  lists.set(conversation, { at: Date.now(), commands: asked });
  return asked;
}

/** Request the commands again: some were added, changed or removed. */
export function forgetCommands(conversation: Id): void {
  lists.delete(conversation);
}

export class Commanding {
  busy = $state(false);
  /** The answer, in Markdown, or the error. */
  answer = $state.raw<{ text: string; wrong: boolean } | null>(null);
  /** The same line sent again after a lost answer does nothing twice. */
  private last = { line: '', id: '' };

  constructor(
    private readonly chat: Chat,
    private readonly key: { conversation: Id; thread: number | null },
  ) {}

  /** Run a command. Return true if it succeeded; the text stays in the field otherwise. */
  async run({ name, words }: Command, files: boolean): Promise<boolean> {
    if (files) return this.fail(m.composer.commandFiles);
    const line = `${name} ${words}`;
    if (this.last.line !== line) this.last = { line, id: newClientId() };
    const { conversation, thread } = this.key;
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    const form = { command: name, text: words, client_id: this.last.id, zone, ...(thread !== null && { thread }) };
    this.busy = true;
    try {
      const { text } = await this.chat.api.call<CommandResult>('POST', path(conversation), form);
      this.answer = text ? { text, wrong: false } : null;
      this.last = { line: '', id: '' };
      return true;
    } catch (error) {
      return this.fail(asProblem(error).detail);
    } finally {
      this.busy = false;
    }
  }

  dismiss(): void {
    this.answer = null;
  }

  private fail(text: string): false {
    this.answer = { text, wrong: true };
    return false;
  }
}
