"""What a refusal means in words that no code explains, in several languages and spellings."""

from __future__ import annotations

import pytest

from mailer.transports.base import OutcomeKind, one_line
from mailer.transports.refusal.refusal import Cause, SmtpStage, classify_refusal
from mailer.transports.smtp.outcomes import outcome_of_reply

ADDRESS = """
550 Utilisateur inconnu
550 5.7.1 Utilisateur inconnu !
550 5.1.1 Adresse inconnue
550 Destinataire inconnu ou invalide
550 Cette adresse n'existe pas
550 Cette boîte aux lettres n’existe plus
550 Compte inexistant
550 Benutzer unbekannt
550 Unbekannter Benutzer
550 5.1.1 Empfänger unbekannt
550 Postfach existiert nicht
550 Die E-Mail-Adresse existiert nicht
550 Konto wurde gelöscht
550 Usuario desconocido
550 El buzón no existe
550 La cuenta de correo no existe
550 Destinatario inexistente
550 no existe el usuario
550 Utente sconosciuto
550 La casella non esiste
550 Usuário não encontrado
550 Gebruiker onbekend
550 用户不存在
550 该用户不存在
550 收件人不存在
550 收件人邮箱不存在
550 收件人地址无效
550 郵箱不存在
550 使用者不存在
550 无此用户
550 查無此人
550 邮箱账号已注销
550 ユーザーが存在しません
550 宛先不明
550 宛先が見つかりません
550 このメールアドレスは存在しません
550 Пользователь не найден
550 Такой адрес не существует
550 нет такого пользователя
550 5.7.1 No such user!
550 5.7.1 no such user here
550 5.7.1 <eve@example.org>: Recipient address rejected: User unknown
550 5.7.1 Recipient not found
554 delivery error: dd eve@example.org is no longer valid. [-20] - mta.example.org
550 eve@example.org is no longer valid
550 <eve@example.org> is no longer in use
550 This mailbox is no longer valid
550 Mailbox no longer active
550 This account is no longer active
550 eve@example.org does not exist
550 <eve@example.org> not found
550 5.1.1 <eve@example.org> is not a valid mailbox
550 No mailbox by that name is currently available
550 Invalid recipient
550 Invalid recipient <eve@example.org>
550 Invalid recipient: eve@example.org
550 unknown recipient
550 Unknown local user
550 No such local user
550 There is no such address here
550 There is no one at this address
550 The user does not exist
550 the recipient does not exist
550 Recipient does not exist here
550 user doesn't exist
550 User doesn’t exist
550 Account not found
550 Email address could not be found, or was misspelled (G8)
550 mailbox does not exist
550 Mailbox has been deleted
550 Account deactivated
550 account closed
550 Not our customer
550 sorry, no mailbox here by that name. (#5.1.1)
550 5.1.1 sorry, no mailbox here by that name (#5.1.1)
550 5.1.1 unknown or illegal alias: eve@example.org
550 5.1.1 <eve@example.org>: Recipient address rejected: User unknown in relay recipient table
550 <eve@example.org>: Recipient address rejected: User unknown in relay recipient table
550 <eve@example.org>: Recipient address rejected: User unknown in local recipient table
550 Recipient address rejected: Not in recipient list
550 5.1.1 The email account that you tried to reach does not exist. 5.1.1 Please try again with the right one
550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup
550 5.0.0 eve... User unknown
553 5.3.0 <eve@example.org>... No such user here
550 5.1.1 eve@example.org User unknown; rejecting
550 Adresse d au moins un destinataire invalide. Invalid recipient. OFR204_416 [416]
550 RCPT TO:<eve@example.org> User unknown
550-5.1.1 The email account that you tried to reach does not exist.
550 Adressat unbekannt
550 5.1.1 Empfaenger unbekannt
550 5.1.1 User unknown. Contact your server administrator
550 Empfaenger existiert nicht
550 Message was not accepted -- invalid mailbox. Local mailbox eve@a.de is unavailable: user is terminated
559 Invalid rcptto [@sm070102]
554 RECPT (eve@example.org) dosn't exist
550 사용자를 찾을 수 없습니다
550 Conta inexistente
550 Endereço inexistente
550 Onbekende gebruiker
550 Nie ma takiego użytkownika
550 Schránka neexistuje
550 Kullanıcı bulunamadı
550 sorry, no mailbox here by that name. (#5.7.17)
550 eve@example.org... User not listed in Domino Directory
551 User does not reside here
551 5.1.6 user has moved permanently to a new address
550 Bad recipient address
550 Employee no longer with the company
550 Can't find that user
"""

MAILBOX = """
552 5.1.1 Boite du destinataire pleine. Recipient overquota. OFR_417 [417]
552 5.1.1 <eve@example.net> recipient rejected - extended quota violation
552 5.1.1 <eve@example.org> user over quota
552 5.1.1 <eve@example.org>: Mailbox full
550 5.1.1 mailbox is full
550 5.7.1 Mailbox is full
550 5.7.1 <eve@example.org>: recipient address rejected: Inactive
554 5.2.2 <eve@example.org>: Recipient address rejected: Quota exceeded (mailbox for user is full)
552 5.2.2 Over quota
552 5.2.2 This message is larger than the current system limit or the recipient's mailbox is full.
552 Mailbox over its quota
552 The user has exceeded their storage quota
552 user's mailbox has exceeded the limit
550 user has exceeded its disk space limit
552 mailbox size limit exceeded
552 Requested mail action aborted: exceeded storage allocation
552 La boîte aux lettres est pleine
552 Quota dépassé pour cet utilisateur
552 Boîte de réception pleine
552 Postfach voll
552 Das Postfach des Empfängers ist voll
552 Speicherplatz überschritten
552 Kontingent überschritten
552 Buzón lleno
552 El buzón del destinatario está lleno
552 Cuota excedida
552 Casella piena
552 邮箱已满
552 收件人邮箱已满
552 郵箱已滿
552 邮箱空间不足
552 邮箱容量已满
552 超出邮箱配额
552 メールボックスがいっぱいです
552 メールボックスの容量を超過しました
552 容量オーバー
552 Почтовый ящик переполнен
550 Mail is rejected by recipients
550 Mail rejected by recipient
550 Message refused by the recipient
550 Envelope blocked - User Entry - https://mail.example.org/docs [x]
550 收件人拒收
550 受信拒否されました
550 User suspended
550 Account is inactive
550 5.2.1 This mailbox has been blocked due to inactivity
550 5.2.1 Account suspended
550 Le compte est suspendu
550 Konto gesperrt
550 用户已被冻结
550 帳號已被停用
550 5.2.0 <eve@example.net> - Recipient unavailable
550 Requested action not taken: mailbox unavailable
550 5.7.134 RESOLVER.RST.SenderNotAuthenticatedForMailbox; authentication required
552 받는 사람의 메일함이 가득 찼습니다
550 Caixa de correio do destinatário está cheia
552 Postvak van de ontvanger is vol
552 Skrzynka odbiorcy jest przepełniona
552 Schránka je plná
550 5.5.0 Boite du destinataire archivee. Archived recipient. LPN007_415
550 casella di posta disabilitata
550 5.7.1 The recipient only accepts mail from approved senders
550 You have been blocked by the recipient
550 5.7.124 Sender not in allowed-senders list
"""

US = """
552 5.1.1 <eve@example.org> Mailbox delivery failure policy error
550 5.1.1 rejected by local policy
550 5.1.1 message content rejected
554 5.2.3 MailPolicy violation Error delivering to mailboxes
550 5.7.1 Relaying denied
550 5.7.1 <eve@example.org>... Relaying denied. IP name lookup failed
550 5.7.1 Unable to relay
550 5.7.64 TenantAttribution; Relay Access Denied
550 relay not permitted
550 authentication required
550 5.7.1 Client was not authenticated
550 must be authenticated first
550 5.7.1 Message rejected: user reported it as spam
550 Your account has exceeded its quota
550 Invalid sender
501 5.1.0 Emetteur invalide. Invalid Sender. OFR004_405 [405]
550 Absender unbekannt
550 发件人地址不存在
550 Remitente desconocido
550 送信者が存在しません
550 spam detected
550 Mail rejected as spam, try again later
550 5.7.1 blocked as spam; temporary block
550 5.7.28 unusual rate of unsolicited mail from your address
550 垃圾邮件
550 邮件内容包含垃圾信息,被拒绝
550 IP 在黑名单中
550 迷惑メールとして拒否されました
550 Message refusé: politique locale
550 Rejected by policy
550 Suspected spam sender.
554 DT:SPM 163 smtp9,abc
554 HL:REP 192.0.2.1
554 Message not allowed - [PH01] Email not accepted for policy reasons
553 5.7.1 [BL21] Connections will not be accepted from 192.0.2.1
550 5.7.515 Access denied, sending domain EXAMPLE.ORG doesn't meet the required authentication level
550 Unknown error
550 Unknown reason
550 Invalid HELO
550 Message contains invalid header
550 Invalid DNS PTR resource record
550 <eve@example.org>: Invalid DNS MX or A/AAAA resource record
501 Syntax error in parameters or arguments
554 Message rejected: Email address is not verified
550 Blocked
550 The account is disabled for sending
550 sending account disabled
550 Domain not found
550 Rejected because the mailbox of the sender does not exist
550 The sender's mailbox does not exist
550 5.1.1 Sender mailbox does not exist
550 originator address unknown
550 Unknown user in From
550 The domain of the address you are sending from does not exist
550 Bounce address unknown
550 The return address is invalid
550 Invalid user or password
550 Unknown account: check your login
550 5.7.1 no user authenticated
550 authenticated user is suspended
550 5.1.1 your account has been disabled for sending spam
550 The account has been disabled for outbound email
550 5.7.1 user desk@example.com not valid for sending
550 reverse address not found
550 Client address not found in DNS
550 mail server address not registered in our whitelist
550 Ihre Adresse ist ungültig
550 Ihre IP-Adresse ist unbekannt
550 Die IP-Adresse existiert nicht im DNS
550 Benutzer oder Passwort ungültig
550 L'adresse de l'expéditeur n'existe pas
550 Votre adresse IP est inconnue
550 votre compte est désactivé
550 utilisateur ou mot de passe invalide
550 Dirección IP desconocida
550 usuario o contraseña no válidos
550 indirizzo IP sconosciuto
550 O endereço do remetente não existe
550 adres van de afzender bestaat niet
550 发信地址不存在
550 发送方邮箱不存在
550 您的邮箱不存在
550 IP地址无效
550 用户名或密码无效
550 IPアドレスが不明
550 IP адрес не найден
550 blocked by the recipient domain's policy
550 5.1.1 <eve@example.org>: Recipient address rejected: Blocked by SPF
503 No recipients specified: valid RCPT must precede DATA
"""

LATER = """
550 Domain frequency limited
550 Sender frequency limited.
550 Connection frequency limited. http://service.mail.example.com/cgi-bin/help?subtype=1&&id=20022&&no=1000722
550 Ip frequency limited.
550 5.7.1 Connection frequency limited
550 Mailbox unavailable or access denied
550 rate limit exceeded
550 5.7.1 Rate limited
550 5.7.1 too many connections from your IP
550 Too many messages, slow down
550 Too many concurrent SMTP connections
550 Please try again later
550 try again in 10 minutes
554 5.7.1 Service temporarily unavailable; try again later
550 5.4.5 Daily user sending limit exceeded. For more information on Gmail sending limits go to
550 5.2.1 The user you are trying to contact is receiving mail at a rate that prevents
554 5.2.122 The recipient has exceeded their limit for the number of messages they can receive per hour.
554 5.2.121 The sender has exceeded the limit for the number of messages to this recipient per hour
552 5.7.0 number of messages exceeds maximum per connection
550 sending rate exceeded, message throttled
550 User is receiving mail too quickly
550 发送频率过高,请稍后再试
550 发信频率超过限制
550 超过每日发信量限制
550 连接数过多
550 短時間に送信数が上限を超過しました
550 しばらくしてから再送してください
550 Trop de connexions, veuillez réessayer plus tard
550 Veuillez réessayer
550 Zu viele Verbindungen, bitte später erneut versuchen
550 Demasiadas conexiones, intente más tarde
550 greylisted, come back in 5 minutes
550 4.7.1 please retry later
550 Account temporarily disabled, try again later
554 Too much mail from 192.0.2.1
"""

DEFERRED_US = """
421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume or user complaints
421 HL:REP 163 mx14,abc
451 DT:SPM 163 mx8
421 4.7.28 unusual rate of unsolicited mail
451 4.7.650 The mail server [192.0.2.1] has been temporarily rate limited due to IP reputation.
454 4.7.1 <eve@example.org>: Relay access denied
454 4.7.1 Relaying denied
450 4.1.8 <desk@example.org>: Sender address rejected: Domain not found
450 4.7.1 Client host rejected: cannot find your hostname, [192.0.2.1]
"""

DEFERRED_THEM = """
421 HL:ICC 163 mx32,abc
421 HL:IFC 163 mx32,abc
450 MI:DMC 163 mx32
450 RP:DRC 163 mx32
451 MI:SFQ 163 smtp9
452 4.5.3 Error: too many messages in this session
452 4.3.1 Insufficient system storage
452 4.3.1 Insufficient system resources
452 4.5.3 rate limit exceeded
452 Too many recipients received this hour
450 4.2.0 <eve@example.org>: Recipient address rejected: Greylisted, see http://postgrey.example.org/
451 4.7.1 Greylisting in action, please come back later
450 4.7.1 <eve@example.org>: Recipient address rejected: Policy restrictions; try again later
451 4.7.1 Your mail server is temporarily blocked by greylisting policy
451 Invalid Recipient
450 4.1.1 <eve@example.org>: Recipient address rejected: unverified address: user unknown
421 4.7.0 me.example Error: too many errors
450 4.7.3 Organization queue quota exceeded.
452 4.3.1 Out of disk space
"""

DEFERRED_MAILBOX = """
452 4.2.2 The email account that you tried to reach is over quota
452 4.1.1 <eve@example.org> user over quota
422 邮箱已满
"""


def lines(text: str) -> list[str]:
    return text.strip().splitlines()


def read(reply: str, stage: SmtpStage = SmtpStage.RCPT) -> tuple[bool, Cause]:
    return tuple(classify_refusal(int(reply[:3]), reply[4:], stage))  # type: ignore[return-value]


@pytest.mark.parametrize("reply", lines(ADDRESS))
def test_nobody_is_there(reply: str) -> None:
    assert read(reply) == (False, Cause.ADDRESS)


@pytest.mark.parametrize("reply", lines(MAILBOX))
def test_somebody_is_there_and_does_not_get_it(reply: str) -> None:
    assert read(reply) == (False, Cause.MAILBOX)


@pytest.mark.parametrize("reply", lines(US))
def test_it_is_about_us(reply: str) -> None:
    assert read(reply) == (False, Cause.US)


@pytest.mark.parametrize(
    "reply",
    [
        "550 5.1.1 <eve@example.org>: Recipient address rejected: unverified address: connect to mx: "
        "Connection timed out",
        "550 5.1.1 <eve@example.org>: Recipient address rejected: mail for example.org loops back to myself",
        "550 Mailbox backend unavailable: account server not found",
        "554 Cannot deliver: internal error, user table not present",
    ],
)
def test_whose_server_cannot_look_is_not_blamed(reply: str) -> None:
    assert read(reply) == (False, Cause.THEM)


@pytest.mark.parametrize("stage", [SmtpStage.DATA, SmtpStage.MESSAGE])
def test_no_valid_recipients_after_one_was_taken_is_about_us(stage: SmtpStage) -> None:
    assert read("554 5.5.1 Error: no valid recipients", stage) == (False, Cause.US)


@pytest.mark.parametrize("reply", lines(LATER))
def test_a_limit_is_for_later_whatever_its_code(reply: str) -> None:
    assert read(reply) == (True, Cause.THEM)
    assert read(reply, SmtpStage.MAIL) == (True, Cause.THEM)
    assert read(reply, SmtpStage.MESSAGE) == (True, Cause.THEM)
    outcome = outcome_of_reply(int(reply[:3]), one_line(reply[4:]), SmtpStage.RCPT)
    assert (outcome.result, outcome.cause) == (OutcomeKind.DEFERRED, Cause.THEM)


@pytest.mark.parametrize(
    ("reply", "cause"),
    [
        *((reply, Cause.US) for reply in lines(DEFERRED_US)),
        *((reply, Cause.THEM) for reply in lines(DEFERRED_THEM)),
        *((reply, Cause.MAILBOX) for reply in lines(DEFERRED_MAILBOX)),
    ],
)
def test_a_4xx_is_for_later_and_has_a_cause(reply: str, cause: Cause) -> None:
    assert read(reply) == (True, cause)


@pytest.mark.parametrize("prefix", ["", "smtp;550 ", "smtp; 550-", "SMTP;550 ", "550 "])
def test_a_code_before_the_words_changes_nothing(prefix: str) -> None:
    assert (
        classify_refusal(550, f"{prefix}5.1.1 <eve@example.org>: Recipient address rejected: gone").cause
        is Cause.ADDRESS
    )
    assert classify_refusal(550, f"{prefix}No such user").cause is Cause.ADDRESS
    assert classify_refusal(550, f"{prefix}Ip frequency limited").later


@pytest.mark.parametrize("reply", lines(ADDRESS) + lines(MAILBOX))
def test_who_was_not_named_yet_is_not_blamed(reply: str) -> None:
    assert read(reply, SmtpStage.MAIL)[1] not in (Cause.ADDRESS, Cause.MAILBOX)


@pytest.mark.parametrize("form", ["ann@example.org", "ann%40example.org", "ann&#64;example.org"])
def test_long_words_do_not_end_in_a_part_of_an_address(form: str) -> None:
    """An erasure could not tell later whose it was."""
    for length in range(470, 510):
        said = one_line("x" * (length // 2) + " " + "y" * (length - length // 2) + f" <{form}> and more" * 9)
        assert said.endswith("…")
        assert len(said) <= 500
        assert form in said or "ann" not in said, said
    assert one_line("x" * 600) == "x" * 499 + "…"
    assert one_line("x " * 300) == ("x " * 300)[:499] + "…"
