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
} as const
