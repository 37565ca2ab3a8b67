/** The edit history of a message, and its delivery to a user. */
export const evidence = {
  deliveryDetails: 'Delivery details',
  deliveryTo: (name: string) => `Delivery to ${name}`,
  findPeople: 'Find people',
  people: 'People',
  noMatch: 'No one by that name.',
  noOthers: 'No one else is in this conversation.',
  loading: 'Loading delivery details…',
  anotherUser: 'Choose another user',
  refresh: 'Refresh',
  recorded: 'This is recorded in the activity log.',

  steps: 'Delivery steps',
  stored: 'Written to disk',
  storedHint: (position: number, node: string) => `Log position ${position}${node && `, by node ${node}`}`,
  session: (session: number, node: string) => `Session ${session}, node ${node}`,
  connected: 'A device connected',
  sent: 'Sent to the device',
  replayed: 'Sent to the device when it reconnected',
  disconnected: (why: string) => `The device was disconnected: ${why}`,
  ends: {
    drain: 'the server was restarted',
    age: 'the connection was due for renewal',
    slow: 'it read too slowly',
    revoked: 'its session was ended',
    expired: 'its session expired',
    epoch: 'the database was restored',
  } as Partial<Record<string, string>>,
  closedByDevice: 'The device disconnected',
  readBy: (name: string) => `Read by ${name}`,
  notMember: (name: string) => `${name} was not a member when it was sent`,
  disabled: (name: string) => `The account of ${name} is disabled`,
  deleted: 'The message was deleted',
  unread: (name: string) => `${name} has not read it yet`,
  unreadHint: 'The message was sent to a device.',
  notReached: 'No connected device received this message',
  noDevice: (name: string) => `No device of ${name} has connected since`,
  willArrive: 'It is stored, and is delivered when a device connects.',
  openStreams: (count: number, name: string) => {
    if (!count) return `Now: no open stream for ${name}`;
    return `Now: ${count === 1 ? '1 open stream' : `${count} open streams`} for ${name}`;
  },

  verdicts: {
    author: (name: string) => `${name} wrote it.`,
    read: (name: string) => `${name} has read it.`,
    receivedAndRead: (name: string) => `${name} received it and has read it.`,
    received: (name: string) => `${name} received it and has not read it yet.`,
    receivedLater: (name: string) => `${name} received it after reconnecting and has not read it yet.`,
    notReceived: (name: string) => `${name} has not received it: every connection since then ended before it arrived.`,
    noDevice: (name: string) => `${name} has not received it: no device has connected since it was sent.`,
    excluded: (name: string, why: string) => `${name} does not receive it. ${why}`,
  },

  devices: 'Devices connected now',
  unnamedDevice: 'Unnamed device',
  deviceStreams: (session: string, streams: number, active: boolean) =>
    `${session}: ${streams === 1 ? '1 message stream' : `${streams} message streams`}${active ? ', in use' : ''}`,

  editHistory: 'Edit history',
  versions: 'Versions',
  edits: 'Edits',
  noVersions: 'No earlier versions are stored.',
  you: 'You',
  edited: 'edited it',
  deletedIt: 'deleted it',
};
