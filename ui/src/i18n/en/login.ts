/*
 * Texts of signing in and changing a password.
 */
export const login = {
  title: 'Sign in',
  goOn: 'Then you go on where you were.',
  username: 'User name',
  password: 'Password',
  show: 'Show password',
  hide: 'Hide password',
  action: 'Sign in',
  wait: { one: 'Wait {n} s', other: 'Wait {n} s' },
  passwordTitle: 'Change password',
  forced: 'The password you were given is for one time only: choose your own.',
  others: 'Your other sessions end.',
  oneTime: 'Password you were given',
  old: 'Old password',
  new: 'New password',
  again: 'New password again',
  different: 'These two are different.',
  change: 'Change password',
  endsSoon: {
    one: 'Your session ends in less than a minute. What you have not saved by then is lost.',
    other: 'Your session ends in {n} minutes. What you have not saved by then is lost.',
  },
  stay: 'Stay signed in',
  stayHelp: 'Sign in again as {name}: a new session begins, and this page stays as it is.',
} as const
