/** What is about to be sent along at one desk: each goes up at once, and waits for the message. */
import { type SentFile, Upload, type UploadState } from '../../client';
import type { Chat } from '../chat.svelte';
import type { Desk } from '../composer/drafts';
import { toasts } from '../toasts.svelte';

const MOST = 20;
const SHOWN_HERE = /^image\/(png|jpeg|gif|webp|avif)$/;

export class Attachment {
  state = $state.raw<UploadState>({ name: 'waiting', sent: 0 });
  readonly name: string;
  readonly size: number;
  /** A picture as it lies on this device; null for all else. */
  readonly picture: string | null;
  private readonly upload: Upload;

  constructor(
    chat: Chat,
    readonly source: File,
    readonly key: number,
  ) {
    this.name = source.name || 'file';
    this.size = source.size;
    this.picture = SHOWN_HERE.test(source.type) ? URL.createObjectURL(source) : null;
    this.upload = new Upload({
      api: chat.api,
      source,
      name: this.name,
      onChange: (state) => (this.state = state),
    });
  }

  retry(): void {
    this.upload.retry();
  }

  wake(): void {
    this.upload.wake();
  }

  cancel(): void {
    this.upload.cancel();
    this.release();
  }

  release(): void {
    if (this.picture) URL.revokeObjectURL(this.picture);
  }
}

export class Attachments {
  all = $state.raw<Attachment[]>([]);
  /** Enter was pressed before all was up. */
  awaited = $state(false);
  private last = 0;

  constructor(private readonly chat: Chat) {
    addEventListener('online', () => this.all.forEach((one) => one.wake()));
    // files that no message carries yet are lost with the page: the browser asks first
    addEventListener('beforeunload', (event) => this.all.length && event.preventDefault());
  }

  // no deriveds: those would end with the composer that first looked at them
  get busy(): boolean {
    return this.all.some((one) => !['done', 'failed'].includes(one.state.name));
  }

  get failed(): boolean {
    return this.all.some((one) => one.state.name === 'failed');
  }

  add(files: Iterable<File>): void {
    const fresh = [...files];
    const room = MOST - this.all.length;
    if (fresh.length > room) toasts.say(`A message can carry ${MOST} files. Send the others in another one.`, true);
    const added = fresh.slice(0, Math.max(0, room)).map((file) => new Attachment(this.chat, file, ++this.last));
    this.all = [...this.all, ...added];
  }

  remove(one: Attachment): void {
    one.cancel();
    this.all = this.all.filter((other) => other !== one);
    if (!this.all.length) this.awaited = false;
  }

  /** What has been sent up, for the message that carries it; from here on it is the message's. */
  take(): SentFile[] {
    const files = this.all.flatMap((one) => one.state.file ?? []);
    for (const one of this.all) one.release();
    [this.all, this.awaited] = [[], false];
    return files;
  }

  /** Pasted files; where there is text as well, it is the text that is meant. */
  paste(event: ClipboardEvent): void {
    const data = event.clipboardData;
    if (!data?.files.length || data.types.includes('text/plain')) return;
    event.preventDefault();
    this.add(data.files);
  }
}

const desks = new WeakMap<Chat, Map<string, Attachments>>();

/** A desk's own; it outlives a look into another conversation. */
export function attachmentsAt(chat: Chat, { conversation, thread }: Desk): Attachments {
  const known = desks.get(chat) ?? new Map<string, Attachments>();
  desks.set(chat, known);
  const key = `${conversation}/${thread ?? ''}`;
  const found = known.get(key) ?? new Attachments(chat);
  known.set(key, found);
  return found;
}
