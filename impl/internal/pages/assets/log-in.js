import { api } from './api.js';
import { drop, look, put, take, whereTo } from './carry.js';
import { $, onSubmit, said } from './form.js';
import { t } from './text.js';

const form = $('#log-in');
const email = $('#email');
const password = $('#password');
const code = $('#code');
const second = $('#second-step');
const other = $('#other-code');

const notice = take('notice');
if (notice) $('#notice').textContent = t(`log_in.notice.${notice}`);
email.value = look('email');
if (email.value) password.focus();
else email.focus();

onSubmit(form, async () => {
  $('#notice').textContent = '';
  const credentials = { email: said(email), password: password.value };
  if (!second.hidden) credentials.code = said(code);
  try {
    await api.logIn(credentials);
  } catch (problem) {
    answer(problem);
    return;
  }
  drop('email');
  location.assign(whereTo());
});

function answer(problem) {
  switch (problem.code) {
    case 'second_factor_required':
      ask();
      return;
    case 'invalid_second_factor':
      if (second.hidden) ask();
      code.select();
      break;
    case 'invalid_credentials':
      problem.detail = t('log_in.wrong');
      break;
    case 'account_suspended':
      problem.detail = t('log_in.suspended');
      break;
  }
  throw problem;
}

/** ask shows the field of the code. Everything typed so far stays. */
function ask() {
  second.hidden = false;
  code.required = true;
  $('[type="submit"]', form).textContent = t('log_in.submit.code');
  code.focus();
}

// Changing the address is starting again.
email.addEventListener('change', () => {
  if (second.hidden) return;
  second.hidden = true;
  code.required = false;
  code.value = '';
  $('[type="submit"]', form).textContent = t('log_in.submit');
});

other.addEventListener('click', () => {
  const recovery = code.inputMode === 'numeric';
  code.inputMode = recovery ? 'text' : 'numeric';
  code.value = '';
  $('label[for="code"] .label').textContent = t(recovery ? 'field.recovery' : 'field.code');
  $('#code-hint').textContent = t(recovery ? 'field.recovery.hint' : 'field.code.hint');
  other.textContent = t(recovery ? 'log_in.use_app' : 'log_in.use_recovery');
  code.focus();
});

// Who has forgotten a password need not type the address again.
for (const link of document.querySelectorAll('a[href="/forgot-password"], a[href="/sign-up"]')) {
  link.addEventListener('click', () => put('email', said(email)));
}
