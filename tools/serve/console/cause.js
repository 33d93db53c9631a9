// Which cause of being stuck a waiting branch belongs to: the keys of `stuck`'s groups.

const DIGITS_MAX = 3;
const ID_CHARACTERS = 8;

// "12345678" and "7f3a09bc" are ids; "HTTP", "502" and "bank2" are none.
function isId(word) {
  const digits = word.replace(/[^0-9]/g, '').length;
  return digits > DIGITS_MAX || (digits > 0 && word.length >= ID_CHARACTERS);
}

export function causeOf(error) {
  return error.replace(/[A-Za-z0-9]+/g, (word, at) => {
    const isTime = /^[0-9]+$/.test(word) && error.slice(at + word.length).startsWith(' ms');
    return isId(word) || isTime ? '…' : word;
  });
}

// `wait` is one of the waits that the server explains. Null stands for none.
export function keyOf(wait, by) {
  if (by === 'handler') return wait.target;
  if (by === 'host') return wait.host;
  return causeOf(wait.last_error ?? '') || null;
}
