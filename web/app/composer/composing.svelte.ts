/** The state of one composer: its text, which is saved as a draft, its attachments, and the actions on them. */
import { tick, untrack } from 'svelte';
import { type Conversation, type Message, keyOf, newClientId, type References, type SentFile, Triage } from '../../client';
import type { Chat } from '../chat.svelte';
import { type Attachments, attachmentsOf } from '../files/attachments.svelte';
import { namesMentioned } from '../markdown/render';
import { messages as m } from '../messages';
import { momentOf } from '../time';
import { toasts } from '../toasts.svelte';
import { type ComposerKey, draftOf, keepDraft, onDraftChange } from './drafts';
import { offerUndo } from './undo.svelte';
import { Commanding } from './commands.svelte';
import { commandIn, withoutEscape } from './completion';
import type { Selected } from './formatting';
import type { Writing } from './writing.svelte';

const LONGEST = 16_000;
const NO_CHANGE = { added: [] as string[], removed: [] as string[] };

export class Composing {
  text = $state('');
  /** The message field, once it is mounted. */
  area: HTMLTextAreaElement | null = null;
  readonly key: ComposerKey;
  readonly left = $derived.by(() => LONGEST - [...this.text].length);
  readonly attachments: Attachments;
  readonly commanding: Commanding;
  readonly ready = $derived.by(() => this.left >= 0 && !this.commanding.busy && (this.text.trim() !== '' || this.hasFiles));
  /** What the edit changes about who is mentioned: it notifies no one anew, and users it no longer names are uncounted. */
  readonly mentioning = $derived.by(() => (this.writing.editing ? this.mentionsChanged(this.writing.editing) : NO_CHANGE));
  /** The draft as stored. A draft from another tab is not stored again: that tab may have sent it since. */
  private draft = '';
  /** The unsent text from before the user started to edit a message. */
  private aside: string | null = null;

  constructor(
    private readonly chat: Chat,
    readonly conversation: () => Conversation,
    readonly writing: Writing,
    /** The text of a message that was being edited before its row left the page. */
    unsaved: string | null = null,
  ) {
    this.key = { conversation: untrack(conversation).id, thread: writing.thread };
    this.text = this.draft = draftOf(chat.me, this.key);
    this.attachments = attachmentsOf(chat, this.key);
    this.commanding = new Commanding(chat, this.key);
    if (!writing.editing) writing.takeBack = (message) => this.takeBack(message);
    $effect(() => {
      if (!writing.editing && this.attachments.awaited && !this.attachments.busy && !this.attachments.failed) untrack(() => this.send());
    });
    // the field shows the message being edited; afterwards it shows the earlier text again
    $effect(() => {
      const message = writing.editing;
      untrack(() => this.switchTo(message, unsaved));
    });
    $effect(() => {
      if (!writing.editing && this.aside === null && this.text !== this.draft) keepDraft(chat.me, this.key, (this.draft = this.text));
    });
    // all tabs share one draft, so that a user can continue it in another tab without overwriting anything
    $effect(() =>
      onDraftChange(chat.me, this.key, (text) => {
        this.draft = text;
        if (this.aside === null) this.text = text;
        else this.aside = text;
      }),
    );
  }

  /** The text and its selection in the field. */
  get selected(): Selected {
    const { selectionStart: start = 0, selectionEnd: end = 0 } = this.area ?? {};
    return { text: this.text, start, end };
  }

  /** Change the text as if the user had typed it, so that the browser can undo it, and select a part. */
  apply({ text, start, end }: Selected): void {
    const { area } = this;
    if (!area || text === this.text) return area?.setSelectionRange(start, end);
    let [first, last] = [0, 0];
    const most = Math.min(text.length, this.text.length);
    while (first < most && text[first] === this.text[first]) first++;
    while (last < most - first && text.at(-1 - last) === this.text.at(-1 - last)) last++;
    area.focus();
    area.setSelectionRange(first, this.text.length - last);
    const part = text.slice(first, text.length - last);
    const typed = part ? document.execCommand('insertText', false, part) : document.execCommand('delete');
    if (!typed || area.value !== text) this.text = area.value = text;
    area.setSelectionRange(start, end);
  }

  /**
   * Send the message, run the command, or save the edit. Return false if there is nothing to send or uploads are not
   * finished.
   */
  send(): boolean {
    if (!this.ready) return false;
    const command = this.writing.editing ? null : commandIn(this.text.trim());
    if (command) return void this.run(command), true;
    if (this.writing.editing) this.saveEdit(this.writing.editing);
    else if (this.attachments.busy || this.attachments.failed) {
      this.attachments.awaited = true;
      return false;
    } else {
      const sent = this.chat.store.send(this.key.conversation, withoutEscape(this.text.trim()), this.references());
      offerUndo(this.chat, sent.clientId);
      this.commanding.dismiss();
      this.text = '';
    }
    this.writing.clear();
    return true;
  }

  /** True if the text can be sent later: not an edit, not a command, and its files are uploaded. */
  get canSchedule(): boolean {
    const { busy, failed } = this.attachments;
    return this.ready && !this.writing.editing && !busy && !failed && !commandIn(this.text.trim());
  }

  /** Schedule the message. Its text stays in the field until that has succeeded. Return true then. */
  async schedule(at: string): Promise<boolean> {
    const { conversation } = this.key;
    const [typed, body, references] = [this.text, withoutEscape(this.text.trim()), this.references(this.attachments.files)];
    // a repetition after a lost answer must not schedule it twice
    const asked = JSON.stringify([at, body, references]);
    if (this.scheduling?.asked !== asked) this.scheduling = { asked, clientId: newClientId() };
    const triage = new Triage(this.chat.api);
    if (!(await toasts.try(triage.schedule(conversation, body, at, this.scheduling.clientId, references)))) return false;
    this.scheduling = null;
    this.attachments.take();
    if (this.text === typed) this.text = '';
    this.writing.clear();
    toasts.say(m.composer.scheduledFor(momentOf(at)));
    return true;
  }

  private scheduling: { asked: string; clientId: string } | null = null;

  private takeBack({ body, files }: Message): void {
    this.put({ text: [body, this.text].filter(Boolean).join('\n'), caret: body.length });
    this.attachments.restored = [...this.attachments.restored, ...(files ?? [])];
  }

  /** Run a command. Its text stays in the field until that has succeeded. */
  private async run(command: NonNullable<ReturnType<typeof commandIn>>): Promise<void> {
    const sent = this.text;
    if (!(await this.commanding.run(command, this.hasFiles))) return;
    if (this.text === sent) this.text = '';
    this.writing.clear();
  }

  /** Return the user's last message here, for editing. */
  lastOfMine(): Message | undefined {
    const { timelines, replies } = this.chat.view;
    const { conversation, thread } = this.key;
    const here = thread === null ? timelines.get(conversation) : replies.get(keyOf(conversation, thread));
    return here?.messages.findLast(
      (one) => one.author === this.chat.me && !one.deleted && !one.streaming && (thread !== null || !one.thread),
    );
  }

  /** Replace the selected text. */
  insert(piece: string): void {
    const { selectionStart: start = 0, selectionEnd: end = 0 } = this.area ?? {};
    this.put({ text: this.text.slice(0, start) + piece + this.text.slice(end), caret: start + piece.length });
  }

  put(next: { text: string; caret: number }): void {
    this.text = next.text;
    void tick().then(() => {
      this.area?.focus();
      this.area?.setSelectionRange(next.caret, next.caret);
    });
  }

  private mentionsChanged({ body, mentions = [], mentions_all: all }: Message): typeof NO_CHANGE {
    if (!this.text.includes('@') && !mentions.length && !all) return NO_CHANGE;
    const [before, after] = [namesMentioned(body), namesMentioned(this.text)];
    const groups = mentions.length ? this.chat.groups.in(body).map((group) => group.name) : [];
    const reached = [...mentions.map((id) => this.chat.user(id)?.name.toLowerCase() ?? ''), ...groups, all ?? ''];
    const signed = (names: Iterable<string>, without: Set<string>) => [...names].filter((name) => !without.has(name)).map((name) => `@${name}`);
    return { added: signed(after, before), removed: signed(before, after).filter((name) => reached.includes(name.slice(1))) };
  }

  private get hasFiles(): boolean {
    return this.writing.editing ? this.kept.length > 0 : this.attachments.all.length + this.attachments.restored.length > 0;
  }

  /** The files that the edited message keeps. */
  get kept(): SentFile[] {
    const { editing, dropped } = this.writing;
    return (editing?.files ?? []).filter((file) => !dropped.includes(file.id));
  }

  private references(files = this.attachments.take()): References {
    const { reply } = this.writing;
    const { thread } = this.key;
    return { ...(files.length && { files }), ...(reply && { reply_to: reply.seq }), ...(thread !== null && { thread }) };
  }

  private saveEdit(message: Message): void {
    const text = this.text.trim();
    const files = this.writing.dropped.length ? this.kept.map((file) => file.id) : undefined;
    if (text !== message.body || files) void this.chat.store.edits.save(message.conversation, message.seq, text, files);
  }

  private switchTo(message: Message | null, unsaved: string | null): void {
    if (message) {
      this.aside ??= this.text;
      const text = unsaved ?? message.body;
      this.put({ text, caret: text.length });
    } else if (this.aside !== null) [this.text, this.aside] = [this.aside, null];
  }
}
