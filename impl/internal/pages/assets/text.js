// Texts by their keys, and moments, languages and the like in words.
import texts from './texts.js';

/** t gives a text, with {name} filled in by values. */
export function t(key, values = {}) {
  const text = texts[key];
  if (text === undefined) throw new Error(`no text ${key}`);
  return text.replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
}

/** has tells whether there is a text of that key. */
export const has = (key) => texts[key] !== undefined;

/**
 * fill puts a text into an element. What is filled in stands out, and is never
 * taken for markup.
 */
export function fill(element, key, values = {}) {
  const parts = texts[key].split(/(\{\w+\})/).map((part) => {
    const name = /^\{(\w+)\}$/.exec(part)?.[1];
    if (!name) return part;
    const strong = document.createElement('strong');
    strong.textContent = values[name];
    return strong;
  });
  element.replaceChildren(...parts);
}

/** fillAll fills all elements of a page that wait for a text. */
export function fillAll(key, values) {
  for (const element of document.querySelectorAll(`[data-text="${key}"]`)) fill(element, key, values);
}

/** count gives the text of a number of things: key.none, key.one or key. */
export function count(key, n) {
  const special = { 0: `${key}.none`, 1: `${key}.one` }[n];
  return special && has(special) ? t(special) : t(key, { count: n });
}

// Dates as they are written where the reader is, in the language of the page.
const pageLanguage = document.documentElement.lang;
const locale = navigator.languages?.find((l) => l.split('-')[0] === pageLanguage) ?? pageLanguage;

const date = new Intl.DateTimeFormat(locale, { dateStyle: 'long' });
const moment = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' });
const deadline = new Intl.DateTimeFormat(locale, {
  weekday: 'long', year: 'numeric', month: 'long', day: 'numeric', hour: 'numeric', minute: '2-digit', timeZoneName: 'short',
});
const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });

export const dateOf = (at) => date.format(new Date(at));
export const momentOf = (at) => moment.format(new Date(at));

/** deadlineOf says until when, in local time, and how far off that is. */
export function deadlineOf(at) {
  const minutes = (new Date(at) - Date.now()) / 60000;
  const [amount, unit] = Math.abs(minutes) < 90 ? [minutes, 'minute'] : Math.abs(minutes) < 48 * 60 ? [minutes / 60, 'hour'] : [minutes / 1440, 'day'];
  return `${deadline.format(new Date(at))} (${relative.format(Math.trunc(amount), unit)})`;
}

/** duration says how long some seconds are, rounded up. */
export function duration(seconds) {
  const [amount, unit] = seconds < 100 ? [seconds, 'second'] : [Math.ceil(seconds / 60), 'minute'];
  return new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'long' }).format(amount);
}

/** languageName says what a language tag means, in that language. */
export function languageName(tag) {
  try {
    const name = new Intl.DisplayNames([tag], { type: 'language' }).of(tag);
    return name.charAt(0).toLocaleUpperCase(tag) + name.slice(1);
  } catch {
    return tag;
  }
}

/** wantedLanguage is what the browser prefers, as the contract takes it. */
export function wantedLanguage() {
  const tag = navigator.language ?? '';
  return /^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$/.test(tag) && tag.length <= 35 ? tag : undefined;
}

const regions = new Intl.DisplayNames([locale], { type: 'region' });

/** countryName gives the name of a country by its code. */
export function countryName(code) {
  try {
    return regions.of(code) ?? code;
  } catch {
    return code;
  }
}

const currencies = new Intl.DisplayNames([locale], { type: 'currency' });

/** currencyName gives the name of a currency by its code. */
export function currencyName(code) {
  try {
    return currencies.of(code.toUpperCase()) ?? code;
  } catch {
    return code;
  }
}

/** compare sorts names as readers expect it. */
export const compare = new Intl.Collator(locale).compare;
