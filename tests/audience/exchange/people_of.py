"""Invented people of many languages, and the encodings that lists of them are usually kept in."""

from __future__ import annotations

import random

__all__ = ["ENCODINGS", "invented"]

#: Family names and given names; how they are joined.
_NAMES = {
    "zh-Hans": (
        "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎",
        "伟芳 秀英 敏 静 丽 强 磊 军 洋 勇 艳 杰 娟 涛 超 明 霞 平 刚 桂英 建华 文 志强 玉兰 国庆 晓明 海燕 雪梅 浩然 "
        "子涵 欣怡 梓萱 宇轩 诗涵 佳怡 俊杰 思远 婷婷 振华 春梅 建国 丹 鹏飞 雨桐 嘉懿 煜祺",
        "",
    ),
    "zh-Hant": (
        "陳林黃張李王吳劉蔡楊許鄭謝洪郭邱曾廖賴徐周葉蘇莊呂江何蕭羅高潘簡朱鍾彭游詹胡施沈余盧梁趙顏柯翁魏孫戴",
        "怡君 雅婷 淑芬 美玲 志明 俊傑 家豪 冠宇 宗翰 詩涵 欣怡 佳穎 建宏 淑惠 麗華 秀英 雅雯 承恩 宥廷 品妤 子晴 詠晴 "
        "柏翰 彥廷 郁婷 佩珊 惠雯 筱婷 靜宜 翰明 孟儒 玉蘭 國華 文雄 慧君 靖雯",
        "",
    ),
    "ko": (
        "김이박최정강조윤장임한오서신권황안송류전홍고문양손배백허유남심노하곽성차주우구민",
        "민수 영희 서연 지우 서준 하준 도윤 예준 시우 지호 수아 지아 서현 민서 하은 은주 미경 성호 정훈 동현 현우 지훈 "
        "준영 상민 혜진 수빈 유진 경숙 영수 철수 순자 가은 나연 다현 보람 한별",
        "",
    ),
    "ja": (
        "佐藤 鈴木 高橋 田中 渡辺 伊藤 山本 中村 小林 加藤 吉田 山田 佐々木 山口 松本 井上 木村 林 斎藤 清水 山崎 阿部 森 "
        "池田 橋本 石川 前田 藤田 小川 岡田 後藤 長谷川 村上 近藤 石井",
        "太郎 花子 健 誠 隆 美咲 さくら 陽子 直樹 大輔 翔太 拓也 愛 結衣 優子 恵 由美 明 浩 久美子 裕子 真由美 智子 "
        "和也 ひろし 蓮 葵 悠真",
        " ",
    ),
    "de": (
        "Müller Schmidt Schröder Krüger Weiß Groß Köhler Schäfer Böhm Jäger König Fuchs Lange Voß Bär Löwe Förster "
        "Günther Möller Huber Kühn Vogel",
        "Jürgen Jörg Käthe Günter Björn Sören Ute Anna Karl Bärbel Götz Rüdiger Max Lukas Hannelore Ömer Renée",
        " ",
    ),
    "fr": (
        "Lefèvre Bérenger Dupont Martin Durand Gérard François Noël Chrétien Besançon Bonté Rivière Lemaître Béraud "
        "Forêt Morel Garçon Héroux Prévost",
        "Hélène René Zoë Chloé Benoît François Jérôme Anaïs Maël Eléonore Gaëlle Luc Marie Thérèse Irène Agnès Loïc "
        "Jean Cédric Élodie Étienne",
        " ",
    ),
    "pl": (
        "Wiśniewski Wójcik Kamiński Lewandowski Zieliński Szymański Woźniak Dąbrowski Kozłowski Jabłoński Król "
        "Wróbel Górski Głowacki Pająk Żak Świątek Łuczak Ćwik Źródło",
        "Łukasz Małgorzata Stanisław Paweł Michał Grażyna Bożena Żaneta Anna Jan Józef Wiesław Agnieszka Mirosława "
        "Błażej Elżbieta Bogusław Sławomir",
        " ",
    ),
    "cs": (
        "Novák Dvořák Černý Procházka Kučera Veselý Horák Němec Pokorný Růžička Beneš Fiala Sedláček Kolář Čermák "
        "Kříž Šimek Říha Vaněk Žák",
        "Jiří Tomáš Ondřej Lukáš Štěpán Zdeněk Věra Jana Růžena Alžběta Petr Kateřina Luděk Eliška Matěj",
        " ",
    ),
    "hu": (
        "Nagy Kovács Tóth Szabó Horváth Varga Kiss Molnár Németh Farkas Balogh Papp Takács Juhász Erdős Fűtő Győri",
        "László István József Gábor Zoltán Éva Katalin Ágnes Réka Ödön Jenő Tünde Győző Gergő Eszter Zsófia",
        " ",
    ),
    "ru": (
        "Иванов Смирнов Кузнецов Попов Васильев Петров Соколов Михайлов Новиков Фёдоров Морозов Волков Алексеев "
        "Лебедев Семёнов Егоров Павлов Козлов",
        "Анна Мария Сергей Алексей Дмитрий Наталья Ольга Юрий Игорь Татьяна Елена Владимир Пётр Павел Ксения Илья",
        " ",
    ),
    "tr": (
        "Yılmaz Şahin Çelik Öztürk Yıldız Doğan Kılıç Aydın Özdemir Koç Güneş Işık Erdoğan Çetin Güler Aksoy Polat",
        "Ayşe Mehmet Fatma İbrahim Gül Çağlar Oğuz Işıl Şule Özgür Kürşat Umut Zeynep Barış Elif Gökçe Tuğba İlker",
        " ",
    ),
    "es": (
        "Núñez Muñoz Peña García Rodríguez Martínez López Sánchez Pérez Gómez Díaz Ibáñez Ordóñez Yáñez Ruiz Marín",
        "José María Ángel Íñigo Begoña Lucía Sofía Andrés Raúl Óscar Inés Martín Ana Luis Iván Julián",
        " ",
    ),
    "pt": (
        "Gonçalves Conceição Magalhães Simões Araújo Guimarães Assunção Sá Falcão Brandão Leitão Durães",
        "João Inês António Luís Catarina Simão Sebastião Mónica Vítor Gonçalo Graça Estêvão Letícia",
        " ",
    ),
    "sv": (
        "Åberg Öberg Sjöberg Lindström Nyström Håkansson Göransson Mårtensson Ek Lind Järvinen Källström",
        "Åsa Örjan Björn Göran Märta Åke Anna Pär Håkan Lars Sören Ylva",
        " ",
    ),
    "da": (
        "Sørensen Jørgensen Møller Rasmussen Kjær Bæk Østergaard Nørgaard Holm Dahl Skov Ågård Grøn",
        "Søren Jørgen Bjørn Åse Kåre Mads Anne Pia Mæt Øyvind Gorm Tøger",
        " ",
    ),
    "hr": (
        "Kovačić Petrović Jurić Marić Babić Šimić Žagar Đurđević Božić Knežević Kovač Novak Vuković Perić",
        "Željko Šime Đuro Goran Anđela Živa Ivana Marko Krešimir Luka Domagoj Vešna",
        " ",
    ),
    "el": (
        "Παπαδόπουλος Γεωργίου Νικολάου Δημητρίου Οικονόμου Βασιλείου Αντωνίου Ιωαννίδης Καραγιάννης Σταύρου",
        "Γιώργος Μαρία Ελένη Κώστας Δημήτρης Άννα Νίκος Κατερίνα Παναγιώτης Έφη Βασίλης",
        " ",
    ),
    "it": (
        "Rossi Niccolò Forlì Cantù Nardò Bianchi Esposito Ricci Merlò Calò D'Agrò Scirè Papalìa",
        "Niccolò Nicolò Carlo Anna Libertà Giosuè Mosè Noè Maria Luigi Totò Gesù",
        " ",
    ),
    "lt": (
        "Kazlauskas Petrauskienė Jankauskaitė Žukauskas Butkūnas Šimkus Stankevičius Paulauskė Urbonienė Čepaitis",
        "Rūta Jūratė Eglė Žydrūnas Šarūnas Vytautė Mantas Ona Gražina Živilė Česlovas Ąžuolas",
        " ",
    ),
}  # fmt: skip

#: Which encodings the lists of a language are usually kept in.
ENCODINGS = {
    "zh-Hans": ("gbk", "gb18030", "gb2312"),
    "zh-Hant": ("big5", "cp950", "gbk"),
    "ko": ("euc_kr", "cp949"),
    "ja": ("cp932", "euc_jp", "shift_jis"),
    "de": ("cp1252", "iso8859_15", "mac_roman", "cp850", "cp437"),
    "fr": ("cp1252", "iso8859_15", "mac_roman", "cp850"),
    "pl": ("cp1250", "iso8859_2", "cp852", "mac_latin2"),
    "cs": ("cp1250", "iso8859_2", "cp852", "mac_latin2"),
    "hu": ("cp1250", "iso8859_2", "cp852"),
    "ru": ("cp1251", "koi8_r", "cp866", "mac_cyrillic", "iso8859_5"),
    "tr": ("cp1254", "iso8859_9", "cp857", "mac_turkish"),
    "es": ("cp1252", "mac_roman", "cp850"),
    "pt": ("cp1252", "mac_roman", "cp850"),
    "sv": ("cp1252", "mac_roman", "cp850"),
    "da": ("cp1252", "mac_roman", "cp850"),
    "hr": ("cp1250", "iso8859_2", "cp852"),
    "el": ("cp1253", "iso8859_7"),
    "it": ("cp1252", "mac_roman", "cp850"),
    "lt": ("cp1257",),
}  # fmt: skip


def invented(language: str, count: int, seed: int) -> list[str]:
    """So many names of the language, always the same for a seed."""
    dice = random.Random(f"{language} {count} {seed}")
    families, given, between = _NAMES[language]
    last = families.split() if " " in families else list(families)
    names = []
    for _ in range(count):
        family, first = dice.choice(last), dice.choice(given.split())
        names.append(f"{family}{between}{first}" if language in ("ja", "zh-Hans", "zh-Hant", "ko", "hu")
                     else f"{first} {family}")  # fmt: skip
    return names
