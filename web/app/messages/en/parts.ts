/** Texts of the components that every screen uses. */
export const parts = {
  cancel: 'Cancel',
  save: 'Save',
  tryAgain: 'Try again',
  loading: 'Loading…',
  loadMore: 'Load more',
  loadFailed: "Couldn't load this. Try again or reload.",
  back: 'Back',
  dismiss: 'Dismiss',
  bot: 'Bot',
};
