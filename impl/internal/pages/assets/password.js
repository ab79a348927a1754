// What is said of a password while it is typed. The server decides; this only
// helps to choose one that it will take. It knows nothing of breached passwords.
import { $ } from './form.js';
import { t } from './text.js';

const longest = 256;
const strong = 24;

/** The lengths that the server asks for. */
export const lengths = { only: 15, secondFactor: 8 };

/**
 * advise watches a password field. demand() gives the least length; if unsure,
 * that with a second factor counts as well. about() gives what is known of the
 * person.
 */
export function advise(input, { demand, unsure = false, about }) {
  const field = input.closest('.field');
  const bar = $('.strength', field);
  const words = $('.advice', field);
  let timer;
  input.addEventListener('input', () => {
    const { level, text } = judge(input.value, { least: demand(), unsure, about: about() });
    bar.dataset.level = level;
    clearTimeout(timer);
    // Screen readers need not hear every letter counted.
    timer = setTimeout(() => { words.textContent = text; }, input.value === '' ? 0 : 350);
  });
}

/** judge gives a level from 0 to 4, and advice. */
export function judge(password, { least, unsure, about }) {
  if (password === '') return { level: 0, text: '' };
  const text = password.normalize('NFKC');
  const length = [...text].length;
  if (length > longest) return { level: 1, text: t('password.too_long') };
  const weak = weakness(text.toLowerCase(), about);
  if (length < least) {
    const more = least - length;
    const key = unsure && length >= lengths.secondFactor ? 'password.more.either' : more === 1 ? 'password.more.one' : 'password.more';
    const hint = t(key, { count: more });
    return { level: length * 2 < least ? 1 : 2, text: weak ? `${weak} ${hint}` : hint };
  }
  if (weak) return { level: 2, text: weak };
  return length < strong ? { level: 3, text: t('password.enough') } : { level: 4, text: t('password.strong') };
}

function weakness(text, about) {
  if (wordsOf(about).some((word) => text.includes(word))) return t('password.personal');
  if (/(.)\1{3,}/u.test(text) || /^(.{1,8}?)\1+$/u.test(text) || new Set(text).size < Math.min(5, [...text].length)) return t('password.repeated');
  if (hasSequence(text)) return t('password.sequence');
  return '';
}

/** wordsOf gives the words of somebody's address and names. */
function wordsOf(about) {
  return about.filter(Boolean).flatMap((s) => s.toLowerCase().split('@')[0].split(/[^\p{L}\p{N}]+/u)).filter((word) => word.length >= 4);
}

const rows = ['abcdefghijklmnopqrstuvwxyz', '01234567890', 'qwertyuiop', 'asdfghjkl', 'zxcvbnm', 'qwertzuiop', 'azertyuiop'];
const runs = rows.flatMap((row) => [row, [...row].reverse().join('')]);
const runLength = 5;

function hasSequence(text) {
  for (let i = 0; i + runLength <= text.length; i++) {
    const part = text.slice(i, i + runLength);
    if (runs.some((run) => run.includes(part))) return true;
  }
  return false;
}
