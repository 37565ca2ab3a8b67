/** What is being written at one desk: its text, kept as a draft; what it answers or corrects; and where it goes. */
import { tick, untrack } from 'svelte';
import { type Conversation, type Message, keyOf, type References, type SentFile } from '../../client';
import type { Chat } from '../chat.svelte';
import { type Attachments, attachmentsAt } from '../files/attachments.svelte';
import { type Desk, draftOf, hearDraft, keepDraft } from './drafts';
import type { Writing } from './writing.svelte';

const LONGEST = 16_000;

export class Composing {
  text = $state('');
  /** The message field, once it stands in the page. */
  area: HTMLTextAreaElement | null = null;
  readonly desk: Desk;
  readonly left = $derived.by(() => LONGEST - [...this.text].length);
  readonly attachments: Attachments;
  readonly ready = $derived.by(() => this.left >= 0 && (this.text.trim() !== '' || this.carries));
  /** As it is kept: what is heard from another tab is not kept anew, for meanwhile it may have been sent there. */
  private draft = '';
  /** What was being written when a correction began. */
  private aside: string | null = null;

  constructor(
    private readonly chat: Chat,
    readonly conversation: () => Conversation,
    readonly writing: Writing,
  ) {
    this.desk = { conversation: untrack(conversation).id, thread: writing.thread };
    this.text = this.draft = draftOf(chat.me, this.desk);
    this.attachments = attachmentsAt(chat, this.desk);
    $effect(() => {
      if (this.attachments.awaited && !this.attachments.busy && !this.attachments.failed) untrack(() => this.send());
    });
    // a correction takes the field; afterwards what was begun before is there again
    $effect(() => {
      const message = writing.editing;
      untrack(() => this.turn(message));
    });
    $effect(() => {
      if (!writing.editing && this.aside === null && this.text !== this.draft) keepDraft(chat.me, this.desk, (this.draft = this.text));
    });
    // one draft for all tabs: who goes on with it in another one finds it there, and overwrites nothing
    $effect(() =>
      hearDraft(chat.me, this.desk, (text) => {
        this.draft = text;
        if (this.aside === null) this.text = text;
        else this.aside = text;
      }),
    );
  }

  /** Says it, or corrects what is being corrected; false when there is nothing to say. */
  send(): boolean {
    if (!this.ready) return false;
    if (this.writing.editing) this.correct(this.writing.editing);
    else if (this.attachments.busy || this.attachments.failed) {
      this.attachments.awaited = true;
      return false;
    } else {
      this.chat.store.send(this.desk.conversation, this.text.trim(), this.references());
      this.text = '';
    }
    this.writing.clear();
    return true;
  }

  /** The last that this person said here, to be corrected. */
  lastOfMine(): Message | undefined {
    const { timelines, replies } = this.chat.view;
    const { conversation, thread } = this.desk;
    const here = thread === null ? timelines.get(conversation) : replies.get(keyOf(conversation, thread));
    return here?.messages.findLast(
      (one) => one.author === this.chat.me && !one.deleted && (thread !== null || !one.thread),
    );
  }

  /** Puts this in place of what is selected. */
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

  /** A message says something, or has files that do. */
  private get carries(): boolean {
    return this.writing.editing ? this.kept.length > 0 : this.attachments.all.length > 0;
  }

  /** Files of the message being corrected that stay. */
  get kept(): SentFile[] {
    const { editing, dropped } = this.writing;
    return (editing?.files ?? []).filter((file) => !dropped.includes(file.id));
  }

  private references(): References {
    const { reply } = this.writing;
    const { thread } = this.desk;
    const files = this.attachments.take();
    return { ...(files.length && { files }), ...(reply && { reply_to: reply.seq }), ...(thread !== null && { thread }) };
  }

  private correct(message: Message): void {
    const text = this.text.trim();
    const files = this.writing.dropped.length ? this.kept.map((file) => file.id) : undefined;
    if (text !== message.body || files) void this.chat.store.edits.save(message.conversation, message.seq, text, files);
  }

  private turn(message: Message | null): void {
    if (message) {
      this.aside ??= this.text;
      this.put({ text: message.body, caret: message.body.length });
    } else if (this.aside !== null) [this.text, this.aside] = [this.aside, null];
  }
}
