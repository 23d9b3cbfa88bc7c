// What the test asks of Haraka: its manners (manners.json), and a line of JSON for each message that it took.
'use strict';

const fs = require('node:fs');
const path = require('node:path');

const folder = process.env.HARAKA;
const manners = JSON.parse(fs.readFileSync(path.join(folder, 'manners.json'), 'utf8'));
let open = 0;

// Haraka knows a reply with a code of its own by the name of its class.
class DSN {
  constructor(code, reply) {
    this.code = code;
    this.reply = reply;
  }
}

exports.register = function () {
  this.register_hook('connect', 'connected');
  this.register_hook('disconnect', 'disconnected');
  this.register_hook('mail', 'sender');
  this.register_hook('rcpt', 'recipient');
  this.register_hook('queue', 'keep');
};

exports.connected = function (next, connection) {
  open += 1;
  if (manners.connections && open > manners.connections) {
    return next(DENYSOFTDISCONNECT, new DSN(421, 'Too many connections'));
  }
  return next();
};

exports.disconnected = function (next) {
  open -= 1;
  return next();
};

exports.sender = function (next, connection) {
  connection.notes.messages = (connection.notes.messages || 0) + 1;
  if (manners.messages && connection.notes.messages > manners.messages) {
    return manners.then === 421
      ? next(DENYSOFTDISCONNECT, new DSN(421, '4.7.0 Too many messages in this session'))
      : next(DENYSOFT, new DSN(452, '4.5.3 Too many messages in this session'));
  }
  return next();
};

exports.recipient = function (next, connection, params) {
  const user = params[0].user;
  if (user.startsWith('refused')) return next(DENY, 'No such user here');
  if (manners.greylisting && user.startsWith('greylisted')) return next(DENYSOFT, 'Greylisted, please try again later');
  return next(OK);
};

exports.keep = function (next, connection) {
  const transaction = connection.transaction;
  const envelope = {
    sender: transaction.mail_from.address,
    recipients: transaction.rcpt_to.map((to) => to.address),
  };
  transaction.message_stream.get_data((data) => {
    const line = JSON.stringify({ ...envelope, data: data.toString('base64') });
    fs.appendFileSync(path.join(folder, 'taken.jsonl'), `${line}\n`);
    next(OK, 'Kept');
  });
};
