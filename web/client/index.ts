/** The client library: what others may use. */
export { Api, type ApiOptions } from './api';
export { apply } from './apply';
export { type PendingEdit } from './edits';
export { type Entry } from './entry';
export { findMessage, type Model, takeSnapshot, type Thread } from './model';
export { type Place, placeOf, reaches } from './message';
export { type Timeline } from './timeline';
export { Outbox, type Outgoing } from './outbox';
export { Presence, type PresenceOptions, type PresenceView } from './presence/presence';
export type { Choice, Mode, Own, PresenceRecord, Status } from './presence/shapes';
export { show } from './presence/status';
export { asProblem, Problem } from './problem';
export { Store, type StoreOptions, type View } from './store';
export { DurableStream, type StreamOptions, type StreamState } from './stream';
export type * from './types';
export { Upload, type UploadState } from './upload';
