/** Texts of the page that a password reset link opens. */
export const reset = {
  documentTitle: 'Set a new password · Tandem',
  title: 'Set a new password',
  newPassword: 'New password',
  newPasswordHint: "Use at least 10 characters. You'll be logged out on all devices.",
  showPassword: 'Show password',
  changePassword: 'Change password',
  changed: 'Password changed',
  changedHint: 'You were logged out on all devices. Log in with your new password.',
  logIn: 'Log in',
  goToLogIn: 'Go to log in',
  linkIncomplete: 'This link is incomplete',
  linkIncompleteHint: 'Copy the whole link, or ask an admin for a new one.',
  linkInvalid: 'This link no longer works',
  linkInvalidHint: 'A reset link works once, for 24 hours. Ask an admin for a new one.',
};
