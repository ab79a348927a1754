// The account: each section is a module, which gets what it needs of the page and
// is told whenever the customer's data have changed.
import { api } from './api.js';
import { drop, logInFirst, put } from './carry.js';
import { $, onClick, show, showProblem } from './form.js';
import { closing } from './closing.js';
import { disbursement } from './disbursement.js';
import { exporting } from './exporting.js';
import { information } from './information.js';
import { passwordSection } from './password-section.js';
import { secondFactor } from './second-factor.js';
import { sessions } from './sessions.js';
import { dateOf, t } from './text.js';

/** The page, as the sections see it. */
const page = {
  me: null,

  /** own does what only the customer may, and leads to the log-in page if they are not logged in. */
  async own(operation) {
    try {
      return await operation;
    } catch (problem) {
      if (problem.code === 'not_logged_in') {
        if (page.me) put('email', page.me.email);
        logInFirst();
        return new Promise(() => {}); // until the browser has left
      }
      throw problem;
    }
  },

  /** update takes the customer's data, or asks for them, and tells the sections. */
  async update(me) {
    page.me = me ?? await page.own(api.getMe());
    const name = page.me.first_name;
    $('#hello').textContent = name ? t('account.hello', { name }) : t('account.hello.plain');
    const known = { partner: page.me.introduced_by, id: page.me.id, date: dateOf(page.me.created_at) };
    $('#since').textContent = t(known.partner ? 'account.introduced' : 'account.alone', known);
    $('#who').textContent = page.me.email;
    for (const field of document.querySelectorAll('input[autocomplete="username"]')) field.value = page.me.email;
    for (const section of sections) section.update?.(page.me);
  },

  /** closed shows that nothing is left. */
  closed() {
    $('#log-out').hidden = true;
    $('#who').textContent = '';
    show('closed');
  },
};

const sections = [information, disbursement, passwordSection, secondFactor, sessions, exporting, closing].map((make) => make(page));

async function start() {
  show('loading', { quiet: true });
  try {
    await page.update();
  } catch (problem) {
    show('failed', { quiet: true });
    showProblem($('[data-state="failed"]'), problem, start);
    return;
  }
  $('#log-out').hidden = false;
  show('account', { quiet: true });
  if (location.hash.length > 1) document.getElementById(location.hash.slice(1))?.scrollIntoView();
}

onClick($('#log-out'), $('.hello'), async () => {
  try {
    await api.logOut();
  } catch (problem) {
    if (problem.code !== 'not_logged_in') throw problem;
  }
  drop('email');
  put('notice', 'logged_out');
  location.assign('/log-in');
});

// A page that a browser has kept shows what may not be shown any more.
addEventListener('pageshow', (event) => {
  if (event.persisted) location.reload();
});

start();
