/** The files attached in one composer: each is uploaded at once and waits for the message to be sent. */
import { type SentFile, Upload, type UploadState } from '../../client';
import type { Chat } from '../chat.svelte';
import type { ComposerKey } from '../composer/drafts';
import { messages as m } from '../messages';
import { toasts } from '../toasts.svelte';

const MOST = 20;
const SHOWN_HERE = /^image\/(png|jpeg|gif|webp|avif)$/;

export class Attachment {
  state = $state.raw<UploadState>({ name: 'waiting', sent: 0 });
  readonly name: string;
  readonly size: number;
  /** The address of a picture on this device; null for other files. */
  readonly picture: string | null;
  private readonly upload: Upload;

  constructor(
    chat: Chat,
    readonly source: File,
    readonly key: number,
  ) {
    this.name = source.name || m.files.unnamed;
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
  /** Files of a message that was taken back: the server has them already. */
  restored = $state.raw<SentFile[]>([]);
  /** True after Enter was pressed while files are still uploading. */
  awaited = $state(false);
  private last = 0;

  constructor(private readonly chat: Chat) {
    addEventListener('online', () => this.all.forEach((one) => one.wake()));
    // files that are not part of a message yet are lost with the page: the browser asks first
    addEventListener('beforeunload', (event) => this.all.length && event.preventDefault());
  }

  // getters instead of $derived: a derived value would end with the composer that first read it
  get busy(): boolean {
    return this.all.some((one) => !['done', 'failed'].includes(one.state.name));
  }

  get failed(): boolean {
    return this.all.some((one) => one.state.name === 'failed');
  }

  add(files: Iterable<File>): void {
    const fresh = [...files];
    const room = MOST - this.all.length - this.restored.length;
    if (fresh.length > room) toasts.say(m.files.tooMany(MOST), true);
    const added = fresh.slice(0, Math.max(0, room)).map((file) => new Attachment(this.chat, file, ++this.last));
    this.all = [...this.all, ...added];
  }

  remove(one: Attachment): void {
    one.cancel();
    this.all = this.all.filter((other) => other !== one);
    if (!this.all.length) this.awaited = false;
  }

  /** The uploaded files. */
  get files(): SentFile[] {
    return [...this.restored, ...this.all.flatMap((one) => one.state.file ?? [])];
  }

  /** Return the uploaded files for a message and clear the list. */
  take(): SentFile[] {
    const { files } = this;
    for (const one of this.all) one.release();
    [this.all, this.restored, this.awaited] = [[], [], false];
    return files;
  }

  /** Attach pasted files. If the clipboard also holds text, only the text is pasted. */
  paste(event: ClipboardEvent): void {
    const data = event.clipboardData;
    if (!data?.files.length || data.types.includes('text/plain')) return;
    event.preventDefault();
    this.add(data.files);
  }
}

const composers = new WeakMap<Chat, Map<string, Attachments>>();

/** Return the attachments of a composer. They stay while the user looks at another conversation. */
export function attachmentsOf(chat: Chat, { conversation, thread }: ComposerKey): Attachments {
  const known = composers.get(chat) ?? new Map<string, Attachments>();
  composers.set(chat, known);
  const key = `${conversation}/${thread ?? ''}`;
  const found = known.get(key) ?? new Attachments(chat);
  known.set(key, found);
  return found;
}
