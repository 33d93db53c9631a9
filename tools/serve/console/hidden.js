// The server shows *** instead of a secret. That must not travel back as a value.

const HIDDEN = '***';

// A sentence if the value cannot be sent, else null. `what`: the field in words.
export const refusalOf = (what, value, help = 'Write the secret itself.') =>
    (value.includes(HIDDEN) ?
      `${what} has ${HIDDEN}, which stands for a secret that is not shown. ${help}` : null);
