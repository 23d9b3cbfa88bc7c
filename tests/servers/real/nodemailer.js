// nodemailer's smtp-server with the manners of manners.json; a line of JSON for each message that it took.
'use strict';

const fs = require('node:fs');
const path = require('node:path');

const folder = process.argv[2];
const manners = JSON.parse(fs.readFileSync(path.join(folder, 'manners.json'), 'utf8'));
const { SMTPServer } = require(manners.module);

const refusal = (code, words) => Object.assign(new Error(words), { responseCode: code });
const counts = new WeakMap();

const server = new SMTPServer({
  name: 'nodemailer.example.net',
  authOptional: true,
  disabledCommands: ['AUTH', 'STARTTLS'],
  disableReverseLookup: true,
  hideSMTPUTF8: !manners.smtputf8,
  size: manners.size || undefined,
  maxClients: manners.connections || undefined,
  onMailFrom(address, session, done) {
    const count = (counts.get(session) || 0) + 1;
    counts.set(session, count);
    if (!manners.messages || count <= manners.messages) return done();
    return done(refusal(manners.then, `${manners.then === 421 ? '4.7.0' : '4.5.3'} Too many messages in this session`));
  },
  onRcptTo(address, session, done) {
    if (address.address.startsWith('refused')) return done(refusal(550, '5.1.1 No such user here'));
    if (manners.greylisting && address.address.startsWith('greylisted')) {
      return done(refusal(450, '4.7.1 Greylisted, please try again later'));
    }
    return done();
  },
  onData(stream, session, done) {
    const chunks = [];
    stream.on('data', (chunk) => chunks.push(chunk));
    stream.on('end', () => {
      if (stream.sizeExceeded) return done(refusal(552, '5.3.4 The message is too large'));
      const line = JSON.stringify({
        sender: session.envelope.mailFrom.address,
        recipients: session.envelope.rcptTo.map((to) => to.address),
        data: Buffer.concat(chunks).toString('base64'),
      });
      fs.appendFileSync(path.join(folder, 'taken.jsonl'), `${line}\n`);
      return done(null, 'Kept');
    });
  },
});

server.on('error', (error) => console.error(error.message));
server.listen(manners.port, '127.0.0.1');
