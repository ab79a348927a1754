// Where the links of e-mails lead. What the link is good for is asked before
// anything can be typed; that uses nothing up.
import { api } from './api.js';
import { drop, look, put } from './carry.js';
import { $, onSubmit, show, showProblem } from './form.js';
import { advise, lengths } from './password.js';
import { deadlineOf, fill, fillAll, t } from './text.js';

const { kind } = document.body.dataset;
const operations = {
  invitation: { check: api.checkInvitation, set: api.acceptInvitation, renew: (link) => api.renewInvitation(link.token) },
  confirmation: { check: api.checkEmailConfirmation, set: api.confirmEmail },
  reset: { check: api.checkPasswordReset, set: api.resetPassword, renew: (link) => api.requestPasswordReset(link.email) },
}[kind];

const longestToken = 200;
const password = $('#password');
let link = {};

/**
 * readToken takes the token out of the address bar, where a passer-by and the
 * browser's history would keep it, and holds it for the tab, so that the page can
 * be loaded again. Mail programs may add a bracket or a full stop to a link.
 */
function readToken() {
  const found = /token=([\w-]+)/.exec(location.hash)?.[1];
  if (found) put(`token.${kind}`, found);
  if (location.hash) history.replaceState(null, '', location.pathname);
  return found ?? look(`token.${kind}`);
}

async function check() {
  link = { token: readToken() };
  if (link.token === '' || link.token.length > longestToken) {
    show('missing', { quiet: true });
    return;
  }
  show('loading', { quiet: true });
  try {
    Object.assign(link, await operations.check(link.token));
  } catch (problem) {
    failed(problem);
    return;
  }
  open(link.state);
}

function failed(problem) {
  if (reached(problem)) return;
  show('failed', { quiet: true });
  showProblem($('[data-state="failed"]'), problem, check);
}

/** reached shows the state of the link that a problem tells of, if it does. */
function reached(problem) {
  switch (problem.code) {
    case 'link_expired':
      open('expired');
      return true;
    case 'link_used':
      open('used');
      return true;
    case 'link_not_found':
      show('missing');
      return true;
    case 'invalid_request':
      if (!problem.at('/token')) return false;
      show('missing');
      return true;
    default:
      return false;
  }
}

function open(state) {
  const { email, first_name: name, partner_name: partner, expires_at: until } = link;
  const time = until && deadlineOf(until);
  put('email', email);
  switch (state) {
    case 'valid':
      $('#greeting').textContent = name ? t(`link.${kind}.title`, { name }) : t(`link.${kind}.title.plain`);
      if (kind === 'invitation' && !partner) $('#lead').textContent = t('link.invitation.lead.plain');
      else fill($('#lead'), `link.${kind}.lead`, { partner });
      $('#username').value = email;
      fillAll('link.valid_until', { time });
      break;
    case 'expired':
      fillAll('link.expired.lead', { time });
      fill($('#offer'), `link.expired.${kind}`, { email });
      $('#renew').hidden = !operations.renew;
      $('#sign-up-again').hidden = Boolean(operations.renew);
      put('first_name', name ?? '');
      break;
    case 'used':
      fillAll('link.used.lead', { email });
      break;
  }
  show(state);
}

onSubmit($('#set'), async () => {
  try {
    link.email = (await operations.set(link.token, password.value)).email;
  } catch (problem) {
    if (reached(problem)) return;
    throw problem;
  }
  drop(`token.${kind}`);
  put('email', link.email);
  put('notice', 'password_set');
  password.value = '';
  fillAll('link.done.lead', { email: link.email });
  show('done');
});

onSubmit($('#renew'), async () => {
  try {
    await operations.renew(link);
  } catch (problem) {
    if (reached(problem)) return;
    throw problem;
  }
  fillAll('link.sent.lead', { email: link.email });
  fillAll('sent.typo', { email: link.email });
  show('sent');
});

advise(password, {
  demand: () => lengths.only,
  unsure: kind === 'reset',
  about: () => [link.email, link.first_name],
});

// Somebody who pastes another link stays on the same page.
addEventListener('hashchange', () => {
  if (location.hash.includes('token=')) check();
});
check();
