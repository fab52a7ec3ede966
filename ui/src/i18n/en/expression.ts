/*
 * Texts of the field for SQL expressions.
 */
export const expression = {
  at: 'Line {line}, column {column}: {said}',
  right: 'The gateway takes this.',
  goToSpot: 'Go to the spot',
  suggestions: 'Suggestions',
  count: { one: '{n} suggestion', other: '{n} suggestions' },
  known: {
    and: 'both',
    or: 'one of them, or both',
    not: 'the contrary',
    in: 'one of these',
    like: 'as this; % is any text, _ any character',
    ilike: 'as this, upper or lower case',
    between: 'from … to …, both included',
    isNull: 'the object does not have it',
    isNotNull: 'the object has it',
    regexp: 'a regular expression matches, upper or lower case',
    network: 'the address is in this network',
    tag: 'value of any attribute',
    tags: 'all values of an attribute',
    tagHas: 'one of the values of an attribute is this',
    tagLike: 'one of the values of an attribute is as this',
    coalesce: 'this, or another if the object does not have it',
    upper: 'in capitals',
    lower: 'in small letters',
    left: 'its first characters',
    startsWith: 'begins with this',
    currentDate: 'today',
    true: 'always',
  },
} as const
