import { api } from './api.js';
import { look, put, take } from './carry.js';
import { $, onSubmit, said } from './form.js';
import { mailbox } from './mailbox.js';
import { wantedLanguage } from './text.js';

const email = $('#email');
const first = $('#first-name');
const last = $('#last-name');

email.value = look('email');
first.value = take('first_name');

function send() {
  return api.signUp({
    email: said(email),
    first_name: said(first) || undefined,
    last_name: said(last) || undefined,
    language: wantedLanguage(),
  });
}

const sent = mailbox('sign_up.sent.lead', send);

onSubmit($('#sign-up'), async () => {
  await send();
  put('email', said(email));
  sent(said(email));
});
