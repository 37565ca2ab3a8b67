"""Texts that the server writes to people: e-mails, the page that ends them, reminders, and the topic of #general.

They are in the language that the recipient chose in the settings, and otherwise in DEFAULT_LANGUAGE. What the app
shows, browser notifications included, is in the app's own catalogs (web/app/messages). `{name}` is filled in, `#` is a
number. A new language needs its `Texts` below, and its name in `Language`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from chat.shared.errors import ApiError

Language = Literal["en", "de", "es", "ja", "ar"]  # as in web/app/messages/language.ts
Plural = Literal["one", "two", "few", "many", "other"]
Forms = Mapping[Plural, str]

# The marks between which a name cannot change the direction of the sentence around it (Unicode UAX #9).
ISOLATE, END_ISOLATE = "\u2068", "\u2069"


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """The texts of a language. `refusals`: why a message was not posted, by the code of the error.

    PostgreSQL fills in `reminder_refused`: with the text, the channel and the reason.
    """

    language: Language
    months: str = ""
    day: str
    comma: str = ", "

    unread: Forms
    unread_from: Forms
    other_authors: Forms
    more_messages: Forms
    direct_messages: str
    group: str
    view_message: str
    notification_settings: str
    stop_emails: str

    stop_title: str
    stop_question: str
    stop_button: str
    stopped: str

    code_subject: str
    code_body: str
    invitation_subject: str
    invitation_body: str

    reminder: str
    reminder_about_message: str
    reminder_refused: str
    its_channel: str
    refusals: Mapping[str, str]

    general_topic: str

    @property
    def direction(self) -> str:
        """Return the value of HTML's `dir`."""
        return "rtl" if self.language == "ar" else "ltr"

    def part(self, text: str) -> str:
        """Return a name or other foreign text as a part of a sentence. Its direction does not change the sentence's."""
        return f"{ISOLATE}{text}{END_ISOLATE}" if self.direction == "rtl" else text

    def join(self, names: Iterable[str]) -> str:
        """Return names as a list."""
        return self.comma.join(map(self.part, names))

    def count(self, forms: Forms, number: int) -> str:
        """Return the form for a number of things, with the number."""
        return forms.get(plural_of(self.language, number), forms["other"]).replace("#", str(number))

    def refusal(self, error: ApiError) -> str:
        """Return why a message was not posted. A reason that is not among the texts is the server's, in English."""
        return self.refusals.get(error.code, str(error))

    def show_day(self, day: date) -> str:
        """Return a date in words, such as `December 8, 2026`."""
        month = self.months.split()[day.month - 1] if self.months else day.month
        return self.day.format(day=day.day, month=month, year=day.year)


def plural_of(language: Language, number: int) -> Plural:
    """Return the grammatical form of a number of things, by the rules of Unicode's CLDR."""
    if language == "ja":
        return "other"
    if number == 1:
        return "one"
    if language != "ar":
        return "other"
    if number == 2:
        return "two"
    rest = number % 100
    return "few" if 3 <= rest <= 10 else "many" if rest >= 11 else "other"


ENGLISH = Texts(
    language="en",
    months="January February March April May June July August September October November December",
    day="{month} {day}, {year}",
    unread={"one": "You have 1 unread message in {team}.", "other": "You have # unread messages in {team}."},
    unread_from={
        "one": "{team}: 1 unread message from {names}",
        "other": "{team}: # unread messages from {names}",
    },
    other_authors={"other": "{names} and # more"},
    more_messages={"other": "And # more."},
    direct_messages="Direct messages",
    group="Group",
    view_message="View message",
    notification_settings="Notification settings",
    stop_emails="Stop these e-mails",
    stop_title="E-mail notifications",
    stop_question="Stop e-mails about messages that you missed?",
    stop_button="Stop e-mails",
    stopped="You get no more e-mails about missed messages. Your notification settings turn them on again.",
    code_subject="Your code is {code}",
    code_body=(
        "Enter this code at {url} to receive notifications by e-mail:\n\n{code}\n\n"
        "It works for {minutes} minutes. If you did not ask for it, ignore this e-mail.\n"
    ),
    invitation_subject="{inviter} invited you to {team}",
    invitation_body=(
        "{inviter} invited you to {team}. Open this link to make your account:\n\n{url}\n\n"
        "The link works once, until {day}. If you do not know {inviter}, ignore this e-mail.\n"
    ),
    reminder="Reminder: {text}",
    reminder_about_message="Reminder about a message",
    reminder_refused="“%1$s” was not posted in %2$s. %3$s",
    its_channel="its channel",
    refusals={
        "archived": "This conversation is archived. You can read it, but not change it or post to it.",
        "forbidden": "Your account was disabled.",
        "not_found": "Not found, or you do not have access.",
        "not_member": "You are not a member of this public channel. Join it first.",
        "read_only": "Only owners and admins can post here.",
    },
    general_topic="Company-wide news and chat",
)

GERMAN = Texts(
    language="de",
    months="Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    day="{day}. {month} {year}",
    unread={
        "one": "Du hast 1 ungelesene Nachricht in {team}.",
        "other": "Du hast # ungelesene Nachrichten in {team}.",
    },
    unread_from={
        "one": "{team}: 1 ungelesene Nachricht von {names}",
        "other": "{team}: # ungelesene Nachrichten von {names}",
    },
    other_authors={"other": "{names} und # weiteren"},
    more_messages={"other": "Und # weitere."},
    direct_messages="Direktnachrichten",
    group="Gruppe",
    view_message="Nachricht ansehen",
    notification_settings="Benachrichtigungseinstellungen",
    stop_emails="Diese E-Mails abbestellen",
    stop_title="Benachrichtigungen per E-Mail",
    stop_question="Keine E-Mails mehr über verpasste Nachrichten?",
    stop_button="E-Mails abbestellen",
    stopped=(
        "Du bekommst keine E-Mails über verpasste Nachrichten mehr. In den Benachrichtigungseinstellungen kannst du "
        "sie wieder einschalten."
    ),
    code_subject="Dein Code ist {code}",
    code_body=(
        "Gib diesen Code unter {url} ein, um Benachrichtigungen per E-Mail zu bekommen:\n\n{code}\n\n"
        "Er gilt {minutes} Minuten. Wenn du ihn nicht angefordert hast, ignoriere diese E-Mail.\n"
    ),
    invitation_subject="{inviter} hat dich zu {team} eingeladen",
    invitation_body=(
        "{inviter} hat dich zu {team} eingeladen. Öffne diesen Link, um dein Konto zu erstellen:\n\n{url}\n\n"
        "Der Link funktioniert einmal, bis zum {day}. Wenn du {inviter} nicht kennst, ignoriere diese E-Mail.\n"
    ),
    reminder="Erinnerung: {text}",
    reminder_about_message="Erinnerung an eine Nachricht",
    reminder_refused="„%1$s“ wurde nicht in %2$s gesendet. %3$s",
    its_channel="dem Kanal",
    refusals={
        "archived": "Diese Unterhaltung ist archiviert. Du kannst sie lesen, aber nicht darin schreiben.",
        "forbidden": "Dein Konto war deaktiviert.",
        "not_found": "Nicht gefunden, oder du hast keinen Zugang.",
        "not_member": "Du bist kein Mitglied dieses öffentlichen Kanals. Tritt ihm zuerst bei.",
        "read_only": "Dort können nur Besitzer und Admins schreiben.",
    },
    general_topic="Neuigkeiten und Gespräche für alle",
)

SPANISH = Texts(
    language="es",
    months="enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    day="{day} de {month} de {year}",
    unread={"one": "Tienes 1 mensaje no leído en {team}.", "other": "Tienes # mensajes no leídos en {team}."},
    unread_from={
        "one": "{team}: 1 mensaje no leído de {names}",
        "other": "{team}: # mensajes no leídos de {names}",
    },
    other_authors={"other": "{names} y # más"},
    more_messages={"other": "Y # más."},
    direct_messages="Mensajes directos",
    group="Grupo",
    view_message="Ver mensaje",
    notification_settings="Ajustes de notificaciones",
    stop_emails="Dejar de recibir estos correos",
    stop_title="Notificaciones por correo",
    stop_question="¿Dejar de recibir correos sobre los mensajes que te perdiste?",
    stop_button="Dejar de recibir correos",
    stopped=(
        "Ya no recibirás correos sobre mensajes perdidos. Puedes activarlos de nuevo en los ajustes de notificaciones."
    ),
    code_subject="Tu código es {code}",
    code_body=(
        "Introduce este código en {url} para recibir notificaciones por correo:\n\n{code}\n\n"
        "Es válido durante {minutes} minutos. Si no lo pediste, ignora este correo.\n"
    ),
    invitation_subject="{inviter} te ha invitado a {team}",
    invitation_body=(
        "{inviter} te ha invitado a {team}. Abre este enlace para crear tu cuenta:\n\n{url}\n\n"
        "El enlace funciona una vez, hasta el {day}. Si no conoces a {inviter}, ignora este correo.\n"
    ),
    reminder="Recordatorio: {text}",
    reminder_about_message="Recordatorio sobre un mensaje",
    reminder_refused="«%1$s» no se publicó en %2$s. %3$s",
    its_channel="su canal",
    refusals={
        "archived": "Esta conversación está archivada. Puedes leerla, pero no cambiarla ni escribir en ella.",
        "forbidden": "Tu cuenta estaba desactivada.",
        "not_found": "No se encontró, o no tienes acceso.",
        "not_member": "No eres miembro de este canal público. Únete primero.",
        "read_only": "Allí solo pueden escribir propietarios y administradores.",
    },
    general_topic="Noticias y conversación para toda la empresa",
)

JAPANESE = Texts(
    language="ja",
    day="{year}年{month}月{day}日",
    comma="、",
    unread={"other": "{team}に未読メッセージが#件あります。"},
    unread_from={"other": "{team}: 未読メッセージ#件 ({names})"},
    other_authors={"other": "{names}、他#名"},
    more_messages={"other": "他に#件あります。"},
    direct_messages="ダイレクトメッセージ",
    group="グループ",
    view_message="メッセージを見る",
    notification_settings="通知設定",
    stop_emails="このメールの配信を停止",
    stop_title="メール通知",
    stop_question="見逃したメッセージのメールを停止しますか?",
    stop_button="メールを停止",
    stopped="見逃したメッセージのメールは届かなくなります。通知設定で再び有効にできます。",
    code_subject="確認コード: {code}",
    code_body=(
        "メールで通知を受け取るには、{url} でこのコードを入力してください。\n\n{code}\n\n"
        "有効期間は{minutes}分です。心当たりがない場合は、このメールを無視してください。\n"
    ),
    invitation_subject="{inviter}さんから{team}に招待されています",
    invitation_body=(
        "{inviter}さんから{team}に招待されています。次のリンクを開いてアカウントを作成してください。\n\n{url}\n\n"
        "リンクは{day}まで1回だけ使えます。{inviter}さんに心当たりがない場合は、このメールを無視してください。\n"
    ),
    reminder="リマインダー: {text}",
    reminder_about_message="メッセージのリマインダー",
    reminder_refused="「%1$s」は%2$sに投稿されませんでした。%3$s",
    its_channel="チャンネル",
    refusals={
        "archived": "この会話はアーカイブされています。読むことはできますが、変更や投稿はできません。",
        "forbidden": "アカウントが無効になっていました。",
        "not_found": "見つからないか、アクセスできません。",
        "not_member": "この公開チャンネルのメンバーではありません。先に参加してください。",
        "read_only": "投稿できるのはオーナーと管理者だけです。",
    },
    general_topic="全社のお知らせと会話",
)

ARABIC = Texts(
    language="ar",
    months="يناير فبراير مارس أبريل مايو يونيو يوليو أغسطس سبتمبر أكتوبر نوفمبر ديسمبر",
    day="{day} {month} {year}",
    comma="، ",
    unread={
        "one": "لديك رسالة واحدة غير مقروءة في {team}.",
        "two": "لديك رسالتان غير مقروءتين في {team}.",
        "few": "لديك # رسائل غير مقروءة في {team}.",
        "many": "لديك # رسالة غير مقروءة في {team}.",
        "other": "لديك # رسالة غير مقروءة في {team}.",
    },
    unread_from={
        "one": "رسالة واحدة غير مقروءة في {team} من {names}",
        "two": "رسالتان غير مقروءتين في {team} من {names}",
        "few": "# رسائل غير مقروءة في {team} من {names}",
        "many": "# رسالة غير مقروءة في {team} من {names}",
        "other": "# رسالة غير مقروءة في {team} من {names}",
    },
    other_authors={"one": "{names} وشخص آخر", "two": "{names} وشخصين آخرين", "other": "{names} و# آخرين"},
    more_messages={
        "one": "ورسالة أخرى.",
        "two": "ورسالتان أخريان.",
        "few": "و# رسائل أخرى.",
        "many": "و# رسالة أخرى.",
        "other": "و# رسالة أخرى.",
    },
    direct_messages="الرسائل المباشرة",
    group="مجموعة",
    view_message="عرض الرسالة",
    notification_settings="إعدادات الإشعارات",
    stop_emails="إيقاف هذه الرسائل",
    stop_title="الإشعارات بالبريد الإلكتروني",
    stop_question="هل تريد إيقاف رسائل البريد عن الرسائل التي فاتتك؟",
    stop_button="إيقاف رسائل البريد",
    stopped="لن تصلك رسائل بريد أخرى عن الرسائل التي فاتتك. يمكنك تفعيلها من جديد في إعدادات الإشعارات.",
    code_subject="رمزك هو {code}",
    code_body=(
        "أدخل هذا الرمز في {url} لتصلك الإشعارات بالبريد الإلكتروني:\n\n{code}\n\n"
        "يعمل الرمز لمدة {minutes} دقيقة. إذا لم تطلبه، فتجاهل هذه الرسالة.\n"
    ),
    invitation_subject="دعاك {inviter} إلى {team}",
    invitation_body=(
        "دعاك {inviter} إلى {team}. افتح هذا الرابط لإنشاء حسابك:\n\n{url}\n\n"
        "يعمل الرابط مرة واحدة، حتى {day}. إذا كنت لا تعرف {inviter}، فتجاهل هذه الرسالة.\n"
    ),
    reminder="تذكير: {text}",
    reminder_about_message="تذكير برسالة",
    reminder_refused="لم يُنشر «%1$s» في %2$s. %3$s",
    its_channel="قناته",
    refusals={
        "archived": "هذه المحادثة مؤرشفة. يمكنك قراءتها دون تغييرها أو النشر فيها.",
        "forbidden": "كان حسابك معطّلًا.",
        "not_found": "غير موجود، أو ليس لديك حق الوصول.",
        "not_member": "لست عضوًا في هذه القناة العامة. انضم إليها أولًا.",
        "read_only": "النشر هناك للمالكين والمشرفين فقط.",
    },
    general_topic="أخبار الشركة وأحاديثها",
)

TEXTS: Mapping[str, Texts] = {one.language: one for one in (ENGLISH, GERMAN, SPANISH, JAPANESE, ARABIC)}


def texts_in(chosen: str, default: Language = "en") -> Texts:
    """Return the texts in the language that a user chose. Empty or unknown: in the default."""
    return TEXTS.get(chosen) or TEXTS[default]
