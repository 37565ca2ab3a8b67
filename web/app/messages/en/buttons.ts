/** Words on buttons and links of several folders: the same action has the same name everywhere. */
export const buttons = {
  cancel: 'Cancel',
  close: 'Close',
  closeHint: 'Close (Esc)',
  copy: 'Copy',
  discard: 'Discard',
  done: 'Done',
  download: 'Download',
  loadMore: 'Load more',
  remove: 'Remove',
  retry: 'Retry',
  save: 'Save',
  show: 'Show',
  tryAgain: 'Try again',
};
