/** The message field, its suggestions, and the notices that take its place. */
const listed = (names: string[]) => (names.length > 3 ? `${names.slice(0, 3).join(', ')} and others` : names.join(', '));

export const composer = {
  message: 'Message',
  messageTo: (name: string) => `Message ${name}`,
  replyInThread: 'Reply in thread',
  replyHint: 'Reply in this thread',
  preview: 'Preview',
  insertEmoji: 'Insert emoji',
  formatting: 'Formatting',
  format: {
    bold: 'Bold',
    italic: 'Italic',
    strike: 'Strikethrough',
    code: 'Code',
    bullets: 'Bulleted list',
    numbers: 'Numbered list',
    quote: 'Quote',
    block: 'Code block',
  },
  send: 'Send',
  sendLater: 'Send later',
  sendTimes: { soon: 'In 20 minutes', tomorrow: 'Tomorrow', monday: 'Monday', own: 'Choose a time…' },
  sendTime: (name: string, time: string) => `${name} at ${time}`,
  scheduledFor: (when: string) => `Scheduled for ${when}.`,
  charactersLeft: (count: number) => (count === 1 ? '1 character left' : `${count} characters left`),
  charactersOver: (count: number) => (count === 1 ? '1 character too many' : `${count} characters too many`),

  suggestions: 'Suggestions',
  suggestionCount: (count: number) => (count === 1 ? '1 suggestion' : `${count} suggestions`),
  everyoneHere: 'Everyone online in this conversation',
  everyone: 'Everyone in this conversation',

  commandAnswer: 'Answer to your command',
  onlyYou: 'Only visible to you',
  commandFiles: 'Commands take no files. Remove the files first.',

  archived: (kind: string) => `This ${kind} is archived.`,
  restore: 'Restore',
  readOnly: 'Only owners and admins can post here.',
  slowMode: (interval: string) => `Slow mode: one message every ${interval}`,

  editMessage: 'Edit message',
  editing: 'Editing',
  notNotified: (names: string[]) => `Editing doesn't notify ${listed(names)}. Send a new message instead.`,
  notMentioned: (names: string[]) => `Saving removes the mention of ${listed(names)}.`,
  replyingTo: (name: string) => `Replying to ${name}`,
  cancelReply: 'Cancel reply',
  cancelHint: 'Cancel (Esc)',
};
