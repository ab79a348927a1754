import { api } from './api.js';
import { look, put } from './carry.js';
import { $, onSubmit, said } from './form.js';
import { mailbox } from './mailbox.js';

const email = $('#email');
email.value = look('email');

const send = () => api.requestPasswordReset(said(email));
const sent = mailbox('forgot.sent.lead', send);

onSubmit($('#forgot'), async () => {
  await send();
  put('email', said(email));
  sent(said(email));
});
