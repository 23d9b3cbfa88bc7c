"""Lists the texts with which mail servers refuse messages, by meaning and in several languages.

They are used for replies whose code says too little. Each entry is a regular expression. Patterns and replies
are compared after `fold_text`: in lower case, without accents, with one kind of apostrophe. The patterns are
written by hand, from RFC 5321 and 3463, from the texts of Postfix, Exim, Sendmail, OpenSMTPD, qmail, Exchange
and Coremail, and from the providers' pages that `receivers` names.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Final

__all__ = [
    "ABOUT_US",
    "ABSENT",
    "FOR_GOOD",
    "FULL",
    "GREYLISTED",
    "LIMIT",
    "LOGIN",
    "OURS",
    "SENDER",
    "SHUT",
    "SPAM",
]
__all__ += ["TROUBLE", "UNAVAILABLE", "fold_text", "matches_any"]

#: Words for the reader's mailbox, whose absence or full state is the reader's matter.
_WHO: Final = (
    r"(?:e-?mail |mail |local |recipient(?:'s)? |user |destination )*"
    r"(?:users?|user ?names?|mail ?boxe?s?|recipients?|accounts?|addressees?|alias(?:es)?|inbox"
    r"|(?<!ip )address(?:es)?|customer|person)"
)
_NAME: Final = "◊"  # an address, taken out

#: Said of the sender, even under 5.1.1: Postfix tells it at RCPT, and Exim adds "No such user" to it.
SENDER: Final = (
    r"\bsender(?:'s)?\s+(?:e-?mail )?(?:address|domain|verif|id\b|is\b|reject|denied|unknown|not\b)",
    r"\b(?:invalid|unknown|bad|fake|forged|unverified|unauthori[sz]ed|no such) sender\b",
    r"(?<!accept )(?<!accepts )(?<!blocked )(?<!blocks )(?<!rejects )(?<!refuses )(?<!much )\bmail ?from\b|\breturn.?path\b|\benvelope from\b|\bfrom:? ?(?:address|domain|header)\b",
    r"\b(?:mail ?box|account|user|address|domain) of (?:the )?sender\b|\bsender(?:'s)? (?:mail ?box|account|user)\b"
    r"|\boriginator\b|\bin (?:the )?from\b(?! (?:line|field) of)|\byou(?:'re| are)? send(?:ing)? from\b",
    r"\bsender callout\b",
    r"\b(?:errors-to|bounce|return|reply(?:-to)?|envelope) address\b|\b(?:de l'|du |adresse |compte )(?:emetteur|expediteur)\b",
    r"\b(?:des absenders|del remitente|do remetente|del mittente|van (?:de )?afzender)\b",
    r"\b(?:emetteur|expediteur) (?:\S+ ){0,2}(?:invalide|inconnu|refuse|rejete)",
    r"\babsender\S* (?:\S+ ){0,3}(?:ungue?ltig|unbekannt|abgelehnt|abgewiesen|nicht|verweigert)",
    r"\bremitente (?:\S+ ){0,3}(?:invalido|desconocido|rechazado|no\b)",
    r"\bmittente (?:\S+ ){0,3}(?:non|sconosciuto|rifiutato)|\bremetente (?:\S+ ){0,3}(?:invalido|desconhecido)",
    r"发[件信送](?:人|者|方|域|地址)|寄件(?:人|者)|送信者|差出人|送信元|发件地址|отправител",
)

#: A limit of volume or rate: a later attempt may succeed, whatever the code.
LIMIT: Final = (
    r"\bfrequency (?:is )?(?:limit\w*|exceed\w*|restrict\w*|control)|\bfrequency limit",
    r"\b(?:rate|throughput|volume|sending|message|connection|recipient|daily|hourly|traffic)[ -]?"
    r"(?:rate |user |sending |send |message |count )*limit\w*\b",
    r"\blimits?\b[^.;]{0,60}\b(?:per|an?|each) (?:second|minute|hour|day|connection|session|sender|ip)\b",
    r"\b(?:messages?|mails?|e-?mails?|connections?|recipients?|quota)\b[^.;]{0,30}\bper (?:second|minute|hour|day)",
    r"\b(?:daily|hourly) (?:\w+ ){0,3}(?:quota|limit)|\bsending (?:rate|quota)\b|\bthrottl\w+",
    r"\btoo (?:many|much) (?!hops|bad|invalid recip|received)(?:\w+ ){0,4}"
    r"(?:connections?|sessions?|messages?|mails?|e-?mails?|recipients|requests|commands|traffic|load)",
    r"\btoo (?:many|much)(?: \w+){0,3} (?:from|at once|per)\b|\btoo (?:fast|quickly|frequent\w*|often)\b",
    r"\b(?:slow down|back off|rate that prevents|mail at a rate|receiving mail at|excessive (?:rate|volume))\b",
    r"\b(?:please )?(?:try|retry|come back|resend|send)(?: it| this| again| your message| mail)*"
    r" (?:again|later|in \d|after|at a later)|\bretry later\b|\bagain later\b",
    r"\b(?:server|service|system|host) (?:is )?(?:too )?(?:currently )?(?:busy|overloaded)\b|\bsystem load\b",
    r"\btemporar\w+|\bat this time\b|\bmaximum (?:\w+ ){0,4}(?:connections?|sessions?|messages per)",
    r"\bmax(?:imum)? messages? per (?:connection|session)",
    r"\btrop de (?:connexions|messages|courriers|mails|requetes)|\breessaye[rz]\b|\bulterieurement\b|\bplus tard\b",
    r"\b(?:limite|frequence) (?:\S+ ){0,3}(?:depassee|atteinte)|\btemporaire\w*",
    r"\bzu viele (?:\S+ )?(?:verbindungen|nachrichten|mails|e-mails|anfragen)|\bspae?ter (?:erneut|noch ?mal|wieder)",
    r"\bversuchen sie es (?:\S+ ){0,3}(?:spater|erneut)|\bvorubergehend|\bratenbegrenzung|\bbegrenzung der rate",
    r"\bdemasiad[ao]s (?:conexiones|mensajes|correos)|\bintente\w*\b.{0,30}\b(?:tarde|nuevo)|\btemporal(?:mente)?\b",
    r"\blimite de (?:envio|frecuencia|mensajes|conexiones|tasa)|\briprova\w* piu tardi|\btente novamente",
    r"频率|頻率|过于频繁|過於頻繁|太频繁|太頻繁|次数过多|数量超[出过]限制|连接(?:数)?过多|並發|并发|稍后再?[试重]|稍後再?[試重]"
    r"|请?重试|超[出过]\S{0,6}(?:每[日天小分]|当[日天])|[发送]信?(?:数量?|量)\S{0,6}超",
    r"送信(?:数|量|頻度|レート)?\S{0,6}(?:制限|上限|超過)|接続数|しばらく(?:して|経って)|後ほど|時間をおいて|一時的",
    r"слишком много|попробуйте позже|повторите попытку|временно",
)
#: Beside these and SPAM, a word about time says nothing: such a refusal is permanent unless its code says otherwise.
FOR_GOOD: Final = (r"\bpermanent\w*",)
#: Our content or the sender has a poor reputation.
SPAM: Final = (
    r"\b(?:anti-?)?spam\w*|\bunsolicited|\bjunk\b|\bvirus|\bmalware|\bphish\w*|\breputation\b|\bcomplaints?\b",
    r"\bblack.?list\w*|\bblock.?list\w*|\bdeny.?list\w*|\bdnsbl\b|\brbls?\b|\bspamhaus\b|\bsuspicio\w+",
    r"\b(?<!not )listed (?:in|on|at|by)\b",
    r"\bblocked (?:using|for|by)\b(?! (?:the |this )?(?:recipients?|addressee|mailbox owner|user)\b(?!'))",
    r"\bpourriel|\bindesirable|\bliste noire\b|\bunerwunscht|\bschwarze liste\b|\bcorreo no deseado\b",
    r"\blista negra\b|\bposta indesiderata\b",
    r"垃圾邮件|垃圾郵件|黑名单|黑名單|病毒|迷惑メール|スパム|ブラックリスト|ウイルス|спам|черн\S+ списк",
)
#: Greylisting defers everybody at first, with any other words beside.
GREYLISTED: Final = (
    r"\bgr[ea]y.?list\w*|\bgreylst\b|\bgra[uy]list\w*|灰名单|グレイリスト|グレーリスト|серый список",
)

#: The mailbox has no room.
FULL: Final = (
    r"\bover(?:.?| the | its | his | their )quota\b|\bquota (?:\S+ ){0,4}(?:exceeded|full|reached|violation|used up)",
    r"\b(?:exceed\w*|violat\w*|out of|over|above|reached)\b (?:\S+ ){0,4}(?:quota|storage|disk space|mailbox size)\b",
    r"\bextended quota\b|\bquota violation\b|\bquota exceeded\b",
    rf"\b(?:{_WHO}|storage|quota)\b[^.;:]{{0,60}}\b(?:full|over ?quota|over ?drawn|out of (?:storage|space))\b",
    r"\b(?:mail ?box|mailstore|storage|inbox)\b[^.;:]{0,40}\b(?:exceed\w*|limit|overflow|too large)\b",
    r"\bexceeded (?:its )?(?:storage|disk) (?:allocation|limit|space)|\bnot enough (?:disk )?space|\bno (?:more )?space"
    r" (?:left )?(?:in|for)|\binsufficient (?:disk )?(?:space|storage)\b|\bfull mail ?box\b|\bmail ?box full\b",
    r"\bbo.{1,3}te\b.{0,40}\bpleine|\bquota\b.{0,20}\b(?:depasse|atteint)|\bespace (?:disque )?insuffisant",
    r"\b(?:postfach|mailbox|briefkasten|posteingang|speicher\w*)\b.{0,40}\b(?:voll|uberfullt|erschopft|uberschritten)",
    r"\b(?:kontingent|quota|speicherplatz)\b.{0,30}\b(?:uberschritten|erschopft|aufgebraucht)",
    r"\b(?:buzon|casilla|bandeja|cuenta)\b.{0,30}\bllen[ao]|\bcuota\b.{0,30}\b(?:excedida|superada|alcanzada)",
    r"\bcasella\b.{0,30}\bpiena|\bcaixa\b.{0,40}\bcheia|\bpostvak\b.{0,40}\bvol\b",
    r"\bskrzynk\w*\b.{0,40}\b(?:przepe[lł]nion|pe[lł]n)\w*|\bschrank\w*\b.{0,40}\b(?:pre)?pln[ae]\w*",
    r"(?:메일함|편지함|사서함|용량)\S*(?: \S+){0,2} ?(?:가득|초과|부족)",
    r"(?:邮箱|郵箱|信箱|邮件|空间|空間|容量|配额|配額|存储)\S{0,12}(?:已?满|已?滿|不足|超[出过過限]|超配额|用完)"
    r"|超[出过過]\S{0,8}(?:配额|配額|容量|空间|空間)",
    r"(?:メールボックス|受信箱|容量|ディスク|クォータ)\S{0,14}(?:いっぱい|一杯|満杯|満了|超過|超え|不足|オーバー)|容量オーバー",
    r"ящик\S* (?:\S+ ){0,2}(?:переполнен|заполнен)|превышен\S* (?:\S+ ){0,2}квот|квота (?:\S+ ){0,2}превышена",
)
#: These tell of our own room or account, or of an organisation's.
OURS: Final = (
    r"\byour (?:\w+ )?(?:account|ip|host|server|domain|network|address(?! book)|quota|organi[sz]ation|tenant)\b",
    r"\b(?:sending|sender|daily|hourly|message rate|organi[sz]ation|queue|tenant|domain|connection|smtp) "
    r"(?:\w+ )?quota\b",
    r"\b(?:sending|smtp|relay|sender) account\b|\baccount\b.{0,30}\b(?:to|for|from) (?:send|outbound|outgoing)"
    r"|\bauthenticated (?:user|account|sender)\b|\bfor sending\b",
    r"\b(?:votre|vos|ihre?s?|su|sus|tu|vostro|vostra|suo|sua|seu|uw) (?:e-?mail-?)?(?:compte|konto|adresse|ip|domaine|domain|serve[u]?r"
    r"|cuenta|direccion|dominio|servidor|account|indirizzo|conta|endereco|adres)\b",
    r"您的(?:邮箱|郵箱|[账帐]号|帳號|地址|域名|ip)|あなたの|お客様の(?:メール)?(?:アドレス|アカウント)(?:は|が)(?:制限|停止)",
)

#: The mailbox exists, and accepts nothing for now, or nothing from us.
SHUT: Final = (
    rf"\b(?:{_WHO})\b[^.;:]{{0,60}}\b(?:suspended|inactive|inactivity|locked|frozen|dormant|paused|on hold)\b",
    r"\b(?:suspended|inactive|locked|frozen|dormant) (?:user|mail ?box|account|recipient)\b",
    r"\brecipient address rejected: ?(?:inactive|blocked(?! (?:by|using|for)\b)|suspended|frozen|locked)",
    r"\b(?:rejected|refused|blocked|denied) by (?:the |this )?(?:recipients?|addressee|mailbox owner|user)\b"
    r"(?!(?:'s?)? (?:server|domain|system|organi|policy|mail))",
    r"\b(?:recipient|user|mailbox|addressee)(?: \S+){0,3} (?:has |have )?(?:blocked|rejects?|refuses?) "
    r"(?:you\b|your (?:address|mail|message)|mail from|messages? from|the sender|this sender)",
    r"\bblocked senders?\b.{0,40}\b(?:list of the|recipient|user)|\buser entry\b|\bpersonal block",
    r"\b(?:only accepts?|accepts? (?:only|no)) (?:mail|messages?|e-?mails?) from (?:known|approved|allowed|members)",
    r"\brecipient unavailable\b|\barchived (?:recipient|mail ?box|account)\b|\bboite\b.{0,30}\barchivee",
    r"\b(?:casella|utente|account|destinatario)\b.{0,30}\b(?:disabilitat[ao]|sospes[ao]|bloccat[ao])",
    r"\b(?:compte|boite|utilisateur|destinataire)\b.{0,30}\b(?:suspendu|inacti(?:f|ve)|bloque|verrouille|gele)",
    r"\b(?:konto|postfach|benutzer|empfae?nger)\b.{0,30}\b(?:gesperrt|inaktiv|deaktiviert)",
    r"\b(?:cuenta|buzon|usuario|destinatario)\b.{0,30}\b(?:suspendid[ao]|inactiv[ao]|bloquead[ao]|congelad[ao])",
    r"\bvom empfae?nger (?:\S+ )?(?:abgelehnt|blockiert|abgewiesen)|\brefuse par le destinataire",
    r"\brechazado por el destinatario|收件人拒[收绝絕]|被收[件信](?:人|方)拒|对方拒收|對方拒收|受信者(?:によ\S+|が\S*)拒否|受信拒否",
    r"(?:用户|用戶|账号|帳號|账户|帳戶|邮箱|郵箱|信箱|收件人)\S{0,8}(?:冻结|凍結|锁定|鎖定|停用|暂停|暫停|被封|休眠)"
    r"|アカウント\S{0,8}(?:停止|凍結|ロック)|休眠",
    r"ящик (?:\S+ ){0,2}(?:заблокирован|неактивен|отключен)|учетная запись (?:\S+ ){0,2}заблокирована",
)

#: The mailbox does not exist.
ABSENT: Final = (
    rf"\b(?:no such|unknown|invalid|non.?exist[ae]nt|undeliverable|bad (?:destination|recipient)|not a (?:valid|known|local)"
    rf"|no(?: valid)?|not our|wrong|unallocated|undefined|incorrect)[ -](?:local |e-?mail |mail )?{_WHO}\b",
    rf"\b{_WHO}\b[^.;:]{{0,60}}\b(?:unknown(?! (?:error|reason|command|failure))|not (?:be )?found|not known|doe?s ?n.?t (?:exist|reside)|does not (?:exist|reside)|not exist\w*"
    r"|do(?:es)? not exist|don't exist|non.?exist[ae]nt|is invalid|as invalid|invalid|unallocated|undeliverable|misspelled"
    r"|no longer (?:exists?|available|valid|in use|active|here|works?|accept\w*|with us|employed|used)|not recogni[sz]ed"
    r"|not (?:a )?(?:valid|local|registered|listed|present|hosted))\b",
    rf"\b{_WHO}\b(?:(?!temporar)[^.;:]){{0,40}}\b(?:disabled|deactivated|discontinued|terminated|deleted|closed|removed|expired)\b",
    rf"\b(?:not|doesn't|does not|don't|do not) have (?:an? |any )?(?:[\w.-]+ )?{_WHO}\b",
    rf"(?:^|[:.,-] ?|dd )\W*{_NAME}\s*[:,-]?\s*(?:is |are )?(?:no longer (?:\w+ )?(?:valid|active|in use|here|available"
    r"|exists?|used)|not (?:a )?(?:valid|known|found|local|registered)|does not exist|doesn't exist|not found"
    r"|(?:unknown|invalid)(?=\W*$|[.;(]))\b",
    r"\bno mail ?box (?:here|by that name|found)|\bunrouteable address\b|\bno such person\b|\bnot our customer\b",
    r"\buser lookup success but no user record\b|\bthere is no (?:one|such)\b|\bnobody (?:here )?by that name\b",
    r"\bnot in (?:the |our )?(?:recipient|user|address|mailbox) (?:list|table|database|map)\b|\brecipientnotfound\b",
    rf"\b(?:can't|cannot|could ?n.t|could not|unable to) (?:find|locate) (?:a |any |such |that |the |this )?{_WHO}\b(?! \w)",
    rf"\binvalid rcpt ?to\b|\bre?cpt(?: to)?\W*{_NAME}\W*do\w*n't exist\b|\b(?:is|are|person|employee) no longer (?:with|at)\b",
    r"\bis no longer (?:valid|active|in use|employed)\b|\b(?:has |have )?left (?:the )?(?:company|organi[sz]ation)\b",
    r"\b(?:unknown|invalid|nonexistent) (?:virtual |relay )?(?:local-part|local part|mailbox)\b|\bno account by that name",
    r"\b(?:utilisateur|destinataire|usager|compte|adresse|boite|correspondant)\b.{0,40}"
    r"\b(?:inconnue?|invalide|introuvable|inexistante?|n'existe (?:pas|plus)|ferme|supprime|desactive)",
    r"\b(?:n'existe (?:pas|plus)|inconnu a cette adresse)\b",
    r"\b(?:benutzer|empfae?nger|nutzer|postfach|konto|adresse|mailbox|teilnehmer|adressat|e-mail-adresse|emailadresse)\w*\b.{0,40}"
    r"\b(?:unbekannt|existiert nicht|nicht (?:gefunden|bekannt|vorhanden|mehr gultig|mehr vorhanden|verfugbar)|ungue?ltig"
    r"|geloe?scht|existiert nicht mehr)",
    r"\b(?:unbekannter|ungue?ltiger|kein) (?:benutzer|empfae?nger|nutzer|adressat|postfach)|\bunbekannte adresse",
    r"\b(?:usuario|destinatario|buzon|cuenta|direccion|casilla)\b.{0,40}"
    r"\b(?:desconocid[ao]|inexistente|no existe|no (?:fue )?encontrad[ao]|invalid[ao]|no valid[ao]|no es valid[ao])",
    r"\bno existe (?:el|la|este|esta|ningun\w*|tal) (?:usuario|buzon|cuenta|direccion|destinatario)",
    r"\b(?:utente|destinatario|casella|indirizzo|account)\b.{0,30}"
    r"\b(?:sconosciut[ao]|inesistente|non esiste|non trovat[ao]|non valid[ao])",
    r"\b(?:usuario|destinatario|conta|endereco|caixa postal)\b.{0,30}\b(?:nao (?:existe|encontrad[ao])|desconhecid[ao]|inexistente)",
    r"\bonbekende (?:gebruiker|ontvanger|adres)|\b(?:nieznany|nie ma takiego) (?:uzytkownik|odbiorc|adres)\w*",
    r"\b(?:uzytkownik|odbiorca|adresat|konto|skrzynka)\b.{0,30}\b(?:nieznan|nie istnieje)",
    r"\b(?:adresat|uzivatel|schranka|prijemce)\b.{0,30}\b(?:neexistuje|neznam|nenalezen)|\bkullan[iı]c[iı]\b.{0,20}\bbulunamad",
    r"(?:사용자|수신자|받는 사람|주소|계정|메일함)\S*(?: \S+)? (?:존재하지 않|찾을 수 없)|존재하지 않는 (?:사용자|수신자|주소|계정)",
    r"\b(?:gebruiker|ontvanger|adres|postvak)\b.{0,30}\b(?:onbekend|bestaat niet|niet gevonden)",
    r"(?:用户|用戶|使用者|收[件信](?:人|者|地址|方)|邮箱|郵箱|信箱|账号|帳號|账户|帳戶|地址|该邮件地址)\S{0,10}"
    r"(?:不存在|无效|無效|未找到|找不到|未知|不正确|不正確|已注销|已註銷|已删除|已刪除|未注册|未開通|未开通|有误)"
    r"|(?:无此|無此|没有此|沒有此|没有这个|查无此|查無此|不存在(?:此|该|的))\S{0,4}(?:用户|用戶|使用者|邮箱|郵箱|信箱|账号|帳號|人|收件人)",
    r"(?:ユーザー?|宛先|受信者|メールアドレス|アドレス|アカウント|メールボックス|あて先|宛て先)\S{0,14}"
    r"(?:存在しません|存在しない|見つかりません|不明|無効|ありません|使われて(?:い|お)\S*)|宛先不明|該当(?:する)?\S{0,6}なし",
    r"(?:пользовател|получател|адрес|ящик|учетн\S+ запис)\S*(?: \S+){0,3} "
    r"(?:не (?:найден|существует|зарегистрирован)|неизвест|недействител|отсутствует|удален)",
    r"неизвестный (?:пользователь|получатель)|нет такого (?:пользователя|ящика|адреса)",
)

#: Mail is accepted only after a login, or only from other networks.
LOGIN: Final = (
    r"\b(?:re)?lay(?:ing|ed)?(?! recipient)\b.{0,40}\b(?:denied|not (?:allowed|permitted|authori[sz]ed)|prohibited"
    r"|disallowed|disabled|forbidden|refused|rejected|den(?:y|ies))|\b(?:no|not|don't|cannot|can't|won't|deny|denies"
    r"|unable to|as a|open|unauthori[sz]ed) (?:open )?relay\w*|\brelay (?:access|not)\b",
    r"\brcpthosts\b|\bwe do not relay\b|\bauth\w* (?:is )?(?:required|needed|first|before)|\bmust (?:\w+ )?(?:auth\w*|log ?in)",
    r"\b(?:not|un)[ -]?(?:been )?(?:authenticated|logged in)\b(?! (?:e-?mail|mail|message))|\bneeds? (?:to )?(?:auth\w*|log ?in)"
    r"|\b(?:please )?(?:log ?in|authenticate) first\b|\bsmtp auth\b|\bauthentication (?:required|failed|failure)\b"
    r"|\bpop before smtp\b|\bnot (?:authori[sz]ed|allowed|permitted) to (?:relay|send|use this)",
    r"\bpasswor[dt]\b|\bkennwort\b|\bmot de passe\b|\bcontrasena\b|\bsenha\b|密码|密碼|パスワード|\bпарол",
    r"请登录|請登入|\bnicht angemeldet\b|\bnon authentifie",
    r"\bcheck your (?:login|user)\b|\bno user (?:is )?(?:authenticated|logged in)\b",
    r"\bclient (?:was |is )?not authenticated\b|\bsend anonymous mail\b",
    r"\brelais\b.{0,30}\b(?:refuse|interdit|non autorise)|\bauthentification (?:requise|obligatoire|necessaire)",
    r"\bauthentifizierung (?:\S+ )?(?:erforderlich|benotigt|notwendig)|\brelay\w*\b.{0,30}\b(?:verweigert|nicht erlaubt)",
    r"\bautenticacion (?:\S+ )?(?:requerida|necesaria)|\b(?:reenvio|retransmision|relay)\b.{0,20}\b(?:denegad|no permitid)",
    r"拒绝中[继轉转]|拒絕(?:中繼|轉發)|(?:中继|中繼|转发|轉發)\S{0,6}(?:拒绝|拒絕|禁止|不允许|不允許)|[需须]要?(?:身份)?(?:认证|验证|登录)"
    r"|认证|中継\S{0,8}(?:拒否|許可されて|でき)|認証(?:が|に)\S{0,6}(?:必要|失敗)",
)

#: Where a reply without a clear code has one of these, it is about us.
ABOUT_US: Final = (
    *SPAM,
    *LOGIN,
    r"\b(?:spf|dkim|dmarc|dkim2|arc|ptr|rdns|relay\w*(?! recipient)|block(?:ed|ing)|banned|blacklist\w*|bulk|filter\w*)\b",
    r"\b\w*polic(?:y|ies)\b|\b(?:prohibited|prohibition|content|abuse|spoof\w*|forged|fraud\w*|attachment|helo|ehlo)\b",
    r"\b(?:reverse|client|server|host|source|connecting|remote|originating|peer) address\b|\bwhite.?list\w*|\ballow.?list\w*|\b(?:in|im) dns\b",
    r"\b(?:adresse|direccion|indirizzo|endereco|adres) ip\b|\bip[ -](?:adresse|adres|адрес)\b|ip ?(?:地址|アドレス)|\bmessage (?:has|contains)\b",
    r"\b(?:reverse dns|unauthenticated|authentication|authori[sz]ed|not allowed|not accepted|not permitted)\b",
    r"\btoo many(?! hops)|\bfrequency\b|\brate limit\w*|\bclient host\b|\bcannot find your\b|\bvalid sender domain\b",
    r"\b(?:header|headers|rfc.?5322|rfc.?2822|rfc compliant|malformed)\b|\b(?:message|mail) (?:was )?rejected\b",
    r"\bmessage\b.{0,40}\b(?:too (?:large|big|long)|size limits?|exceeds? (?:fixed )?(?:maximum )?(?:message )?size)\b",
    r"\byour (?:account|ip|host|server|domain|network|address)\b|\bip address\b|\bmail rejete\b",
    r"\b(?:politique|richtlinie\w*|politica|bloquee?|rejete par|interdit|verboten|nicht erlaubt|no permitido)\b",
    r"策略|政策|规则|規則|内容|內容|不允许|不允許|禁止|拒绝(?:连接|访问|服务)|ポリシー|規制|политик|запрещен",
)

#: A failure of the server, which then cannot know whether the mailbox exists.
TROUBLE: Final = (
    r"\bconnect(?:ion)? to \S+|\bconnection (?:timed out|refused|reset|lost)\b|\bloops? back\b|\bnetwork is unreachable\b",
    r"\b(?:internal|configuration|database|ldap|directory|backend|lookup) (?:server )?(?:error|failure|failed|timeout|timed out)\b",
    r"\b(?:backend|database|ldap|directory|table|server)\b(?: service)?(?: is| was)? "
    r"(?:unavailable|unreachable|offline|down|not (?:available|present|found|reachable|responding))\b",
)

#: The words of RFC 5321 for 550. They may hide a policy, so one of them alone is not enough.
UNAVAILABLE: Final = (
    r"\bmail ?box (?:is )?(?:currently )?(?:unavailable|not available)\b(?! or )",
    r"\brecipient (?:is )?(?:currently )?(?:unavailable|not available)\b",
)

_MARKS = re.compile("[\u0300-\u036f]")
_APOSTROPHES = str.maketrans({"\u2019": "'", "\u2018": "'", "\u00b4": "'", "`": "'"})


def fold_text(text: str) -> str:
    """Returns `text` in lower case, without accents and with one kind of apostrophe."""
    return _without_accents(text).lower()


def _without_accents(text: str) -> str:
    if text.isascii():
        return text.translate(_APOSTROPHES)
    plain = _MARKS.sub("", unicodedata.normalize("NFKD", text.translate(_APOSTROPHES)))
    return unicodedata.normalize("NFC", plain)


@cache
def _compiled_patterns(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{_without_accents(pattern)})" for pattern in patterns))


def matches_any(patterns: tuple[str, ...], folded_text: str) -> bool:
    """Returns whether one of these patterns occurs in a text that was folded by `fold_text`."""
    return _compiled_patterns(patterns).search(folded_text) is not None
