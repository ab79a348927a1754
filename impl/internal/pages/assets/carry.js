// What one page tells the next. It is kept for the tab, and never in a URL, which
// is in logs and histories. A browser may refuse to keep it; then a page starts
// empty.
const prefix = 'escrow.';

export function put(name, value) {
  try {
    sessionStorage.setItem(prefix + name, value);
  } catch { /* see above */ }
}

export function look(name) {
  try {
    return sessionStorage.getItem(prefix + name) ?? '';
  } catch {
    return '';
  }
}

export function drop(name) {
  try {
    sessionStorage.removeItem(prefix + name);
  } catch { /* see above */ }
}

/** take gives a value once. */
export function take(name) {
  const value = look(name);
  drop(name);
  return value;
}

/** logInFirst leads to the log-in page, and back here from it. */
export function logInFirst() {
  put('back', location.pathname + location.hash);
  put('notice', 'session_ended');
  location.assign('/log-in');
}

/** whereTo gives the page to go to after logging in, which is of this site. */
export function whereTo() {
  const home = '/account';
  try {
    const url = new URL(take('back') || home, location.origin);
    return url.origin === location.origin ? url.pathname + url.hash : home;
  } catch {
    return home;
  }
}
