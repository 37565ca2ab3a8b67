/** The texts of the app are plain English: none of the old wordings, and none of the words that do not return. */
import { expect, test } from 'vitest';
import { messages } from '.';

/** Wordings that were replaced. None of them is part of a text. */
const REPLACED = [
  'Theme of the system',
  'As the system',
  'Present password',
  'The old password is another one',
  'is among the first that anybody would try',
  'must have 10 to 256 characters',
  'do not belong together',
  'Somebody else has this name',
  'What others find you by',
  '2 to 32 letters from a to z',
  'to go on where you were',
  'Joining, you read what was said',
  'This link is not whole',
  'This link does not let you in',
  'You are in no channel yet',
  'There is no channel yet',
  'Begin one',
  'Nobody else is here',
  'This is where general begins',
  'Everything that is for everybody',
  'Forget the unread line',
  'That it was there stays visible',
  'What stood there before',
  'Who got it',
  'Who did not get it',
  'Tell me of',
  'Or hear nothing of it',
  'Notifications of ',
  'Counts only what calls you by name',
  'It does not tell you of mentions',
  'Conversations that tell you less',
  'You are told of every message',
  'Logins and devices',
  'Where you are logged in',
  'Nothing open',
  'who is logged in as you',
  'Until when',
  'On the way',
  'On holiday',
  'Shown as',
  'You have blocked nobody',
  'Somebody can be blocked',
  'Neither of you can write to the other',
  'Everything you have written here',
  'All of this holds on this device',
  'The others read, react, and reply nowhere',
  'Only owners and admins write here',
  'Nobody writes here any more',
  'Make a link',
  'Lets in',
  'No link lets anybody in',
  'Nobody is banned',
  'They leave at once and cannot come back',
  "It leaves everybody's list",
  'Bring it back',
  'Bring back',
  'What was changed',
  'Nothing waits for you',
  'What people report',
  'Those who run this conversation',
  'What was said around it',
  'Go there',
  'A note for the others who judge',
  'Whole words are found',
  'No channel answers',
  'Earlier ones',
  'More of them',
  'Looking…',
  'Who wrote it',
  'All its tools',
  'Complete a person',
  'Take out',
  'take it out',
  'Used last',
  'Nothing is called that',
  'Not everything went up',
  'as soon as everything is up',
  'Going on soon',
  'This part of Tandem could not be fetched',
  'who is online is not known',
  'but not do that to it',
  'have nothing to do with each other',
  'does not go together with what is there',
  'What everybody shall read',
  'stands in the audit',
  'In truth',
  'Has chosen nothing',
  'Online to others',
  'Nobody is called so',
  'is told to drain',
  'In its place',
  'Take it back',
  'Look for ghosts',
  'End the login',
  'Who may write',
  'Announce to everybody',
];

const WORDS =
  /\b(for ever|in place of|seldomer|whoever|somebody|anybody|comes? back|let go of|by way of|begun with|dressed as|darkroom|logins?)\b/i;

/** Yield each text with its path; for a function, its source without the names of its parameters. */
function* texts(value: unknown, path = 'messages'): Generator<[path: string, text: string]> {
  if (typeof value === 'string') yield [path, value];
  else if (typeof value === 'function') yield [path, String(value).replace(/^[^=]*=>/, '')];
  else for (const [key, inner] of Object.entries(value as object)) yield* texts(inner, `${path}.${key}`);
}

const all = [...texts(messages)];

test('there are texts', () => {
  expect(all.length).toBeGreaterThan(200);
});

test('no text has a wording that was replaced', () => {
  expect(all.filter(([, text]) => REPLACED.some((old) => text.includes(old)))).toEqual([]);
});

test('no text has a word that does not return', () => {
  expect(all.filter(([, text]) => WORDS.test(text))).toEqual([]);
});

test('apostrophes are written in one way', () => {
  expect(all.filter(([, text]) => /\w’\w/.test(text))).toEqual([]);
});
