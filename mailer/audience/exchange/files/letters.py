"""Lists the letters with which names, places and other words of lists are written, by language.

`likelihood` uses these tables to compute how likely a text is. Letters of an alphabet are roughly in the
order of their frequency in names. The tables need not be complete: a missing letter counts as rare.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

__all__ = [
    "ALPHABETS",
    "HANGUL",
    "HANGUL_SURNAMES",
    "KANJI",
    "NOT_BEFORE",
    "SURNAMES",
    "is_common_character",
    "common_hanzi",
]

#: Letters beyond ASCII of a language, the most frequent first. In Latin script these stand among ASCII letters.
ALPHABETS = {
    "de": "üöäßéëè",
    "fr": "éèçïëêôîâûàœùüÿæ",
    "es": "íáéóñúüºª¿¡",
    "ca": "àéíèòóúçüï",
    "pt": "ãéáçíôóêâúõàº",
    "it": "òàùèìéóº",
    "nl": "ëéïöèêüá",
    "sv": "öåäéüæø",
    "da": "øåæéöüä",
    "fi": "äöåéšž",
    "is": "óáíðúéöþýæ",
    "sq": "ëç",
    "pl": "łńśóżąęćź",
    "cs": "áíýšřčéžěůňúťďóöü",
    "sk": "áíýčšžéľúťňóäôďŕĺ",
    "hu": "áéóíöüőúű",
    "ro": "ăşţâîșț",
    "hr": "ćčšžđ",
    "tr": "şıüöçğâîû",
    "lt": "šėžųčūįąę",
    "lv": "āšīņēļžčūģķ",
    "et": "õäöüšž",
    "vi": "ễầịươạệàôáếđạộâảúóứăềíòồùờịãéựọớựụấắằẳẵặẩẫậẻẽẹểỉĩỏõọổỗốợởỡủũụửữừýỳỷỹỵè",
    "ru": "аеоинвртслкмдяйгпбьухзшчюжыцфщэъё",
    "uk": "аоинвірекслтмдяйгпбьухзшчюжцфщїєґ",
    "be": "аеоінвртслкмдяйгпбьухзшчюжыцфўэё",
    "bg": "аеоинвртслкмдяйгпбьухзшчюжцфщъ",
    "sr": "аиоенврјкслтмдугпбћчзљшжњхцђџф",
    "el": "αοςιηνσρτλκεάπμίυόγδέθχβύφωήξζψώϊϋ",
    "he": "ילאורמנהבשדתקחעגפסזטצכןםךףץ",
    "ar": "اليمنردبحسعتهةفقكشخجىوصزطضأغذثظإآءئؤپچژگی",
    "th": "รนาณีิกสพัชงตวยปมทลุธ์ภอจเศดขหบวูะ่้คผญฐฉฟไใโแํึื็ฏฎฑฒฌซฆฮฬฤำๆฯ",
}

_VOWELS = "aeiouyáéíóúąę"
_CONSONANTS = "bcdfghjklmnpqrstvwxz"
#: Letters of a language with those that do not follow them there; a blank stands for the end of a word.
NOT_BEFORE = {
    ("es", "ñ"): _CONSONANTS,
    ("pl", "ń"): _VOWELS,
    ("pl", "ć"): _VOWELS,
    ("pt", "ã"): _CONSONANTS,
    ("pt", "õ"): f"{_CONSONANTS}aiou",
    ("pt", "ç"): "ei",
    ("ro", "ă"): "aeo",
    ("hu", "ő"): "aeou",
    ("fr", "ç"): "ei",
    ("fr", "è"): "aeiou ",
    ("ca", "ç"): "ei",
}

#: The same in simplified and traditional Chinese: surnames, given names, places and words of lists.
_SAME = (
    "王李周徐朱高林何郭梁宋唐董袁于余程曹彭曾田任范方石姚廖金汪姜康毛史江尹段雷武章向洪孟侯白邵熊秦文常"
    "安易乔丁夏孔柯施温翁游古巫阮洪童涂辛季俞柳丘卓祝包左"
    "伟芳英敏静秀强明国建平文志玉海春秋冬花月红永波山水木火土金光辉新民生民安全和平"
    "君怡雅雯佳欣宜玲美淑惠婷子豪家冠宗翰瑜琪如心俊彦廷宏昌仁正信忠孝勇智慧思念心怡妍晨晴晶曼柔梅梓楠欣沛泉"
    "洋涛浩涵清源潔琳琴瑞瑶璇甜盛福祥祺秋竹筱米紫纯耀胜能良艳苗若茂茵菁菊菲萌萍蓉蕾薇虹裕西言诚谦豪贵超"
    "轩辰远逸都采野雨雪霞青露非韵香馨高魁黎默鼎一二三四五六七八九十百千中大小上下左右前后天地人女男子日年月"
    "先生士小姐太公司名字姓性别城市地址手机号址邮箱件状日期省北京上海南昌深圳津成都武汉西安杭州苏台香港新竹高雄"
    "中山路街段巷楼区有限公司股份集技信息教育文化和平民工商行不是在了我他你的为以可也就要会到出分成自主用法"
    "同多三作家地方面事前此定使好本去那知意如想看理己最合加外立比世走性直接制根元度解本平原料通重力手太保身"
    "清命美品很特交入情特品元社告展真管系交老月目期更十切完必各表部次化者口受至步收少取具"
)  # fmt: skip
#: Simplified and traditional forms, pair by pair.
_PAIRS = (
    "陈陳张張刘劉杨楊赵趙黄黃吴吳孙孫马馬罗羅郑鄭谢謝韩韓邓鄧许許冯馮沈沈萧蕭肖肖蔡蔡贾賈苏蘇卢盧蒋蔣叶葉"
    "阎閻余余潘潘杜杜戴戴钟鐘钟鍾谭譚陆陸邹鄒崔崔邱邱贺賀赖賴龚龔庞龐樊樊兰蘭殷殷齐齊龙龍汤湯钱錢严嚴"
    "颜顏魏魏薛薛万萬覃覃顾顧欧歐关關单單毕畢连連庄莊简簡詹詹傅傅纪紀涂塗乔喬费費聂聶鲁魯卫衛凌凌"
    "伟偉静靜强強国國红紅辉輝军軍杰杰娟娟艳豔勇勇霞霞飞飛刚剛桂桂兰蘭凤鳳洁潔梅梅琳琳晓曉丽麗华華鹏鵬"
    "宁寧云雲欢歡娇嬌诗詩颖穎贤賢恩恩宥宥珊珊芬芬吟吟贞貞惠惠莲蓮莹瑩萱萱晖暉轩軒志誌荣榮兴興庆慶东東"
    "义義礼禮达達维維伦倫纬緯绍紹绮綺丝絲纯純绘繪纲綱细細约約红紅线線级級统統继繼绪緒绿綠编編"
    "选選进進远遠运運过過还還这這边邊适適邮郵电電话話机機号號称稱职職业業务務员員会會员員产產厂廠广廣"
    "门門开開关關间間问問闻聞时時来來为為书書画畫图圖报報纸紙网網站站头頭实實订訂阅閱标標签籤语語"
    "订訂单單备備注註册冊户戶类類别別岁歲学學校校院院医醫药藥银銀铁鐵钢鋼铭銘锋鋒锦錦镇鎮铃鈴键鍵"
    "无無后後里裡从從众眾体體们們么麼动動现現发發经經对對说說个個种種样樣点點战戰应應长長争爭当當"
    "两兩条條总總济濟数數变變气氣见見义義设設认認记記让讓议議论論讲講识識证證评評诉訴请請调調谈談"
    "带帶师師帮幫归歸带帶币幣岛島岭嶺峡峽湾灣台臺汉漢沟溝泽澤济濟浓濃润潤涛濤渊淵凯凱刘劉创創则則"
    "办辦协協区區县縣厅廳历歷压壓参參双雙观觀规規视視觉覺览覽贝貝负負责責财財货貨质質购購贸貿费費资資"
    "车車轮輪软軟转轉轻輕载載输輸龄齡龟龜鲜鮮鸿鴻鹤鶴鸣鳴鸡雞麦麥齿齒韵韻须須预預领領题題颜顏愿願风風"
    "饭飯馆館驰馳驿驛骏駿骄驕锐銳铮錚琼瓊玛瑪环環琏璉玮瑋珑瓏瑶瑤爱愛灵靈烨燁炜煒炼煉灿燦焕煥煊煊"
    "涵涵沅沅淼淼煜煜熙熙睿睿芷芷芸芸茜茜莎莎菡菡蕊蕊璐璐瑾瑾瑄瑄玥玥珂珂珍珍琦琦琛琛瑛瑛宇宇宸宸寒寒"
    "嘉嘉奕奕妮妮姗姍婉婉媛媛嫣嫣娜娜娴嫻婕婕彤彤彬彬佑佑侨僑俪儷倩倩健健伊伊仪儀凡凡凝凝冰冰斌斌旭旭昊昊"
    "昕昕晟晟景景晗晗朗朗朋朋柏柏栋棟桐桐森森欣欣毅毅泓泓泽澤洲洲浩浩淇淇渝渝港港湘湘滨濱潇瀟澜瀾"
    "皓皓盈盈硕碩磊磊祖祖禹禹秉秉程程竣竣笑笑绢絹翔翔翠翠聪聰育育舒舒航航艺藝芝芝苑苑荷荷萧蕭蓝藍"
)  # fmt: skip
#: The characters of Japanese names, places and words of lists that neither Chinese set has.
_JAPANESE = (
    "佐藤鈴木高橋田中渡辺伊山本村小林加吉松井上斎清口森池橋石川前岡長谷後近藤坂遠青福西三太郎中野原金子竹内"
    "和菊千葉桜庭野久保古宮崎大平河新島杉浦丸今柴酒工横安部関矢水沢浜広瀬荒内岩北永浅星黒尾東茂馬場服部増土屋"
    "早成片秋樋武笠堀菅若須栗飼塚根角門戸萩梅柳桑滝塩渋飯奥寺相模植栄吾宏隆浩哲也雅弘誠健司一郎二三次治"
    "剛勇修進学豊茂博明昭正義光徳孝幸之助介太朗翔大輝蓮陽悠斗真央優菜美咲香織彩花愛結衣葵凛莉子恵由紀里奈"
    "裕典慎純直樹智晃亮達拓海颯凌駿遥楓心桃杏鈴音彰秀敏和久昌康泰政宗俊範寛仁志信"
    "京都府県市区町村東阪名古屋札幌仙台神奈埼玉兵庫静岡愛知媛沖縄株式会社有限氏名様住所電話番号姓性別登録配信"
    "会員日時年月曜状態停止解除希望購読者件丁目条通南中央"
)  # fmt: skip

#: The first characters of most Chinese names, in both forms.
SURNAMES = frozenset(
    "王李张張刘劉陈陳杨楊赵趙黄黃周吴吳徐孙孫胡朱高林何郭马馬罗羅梁宋郑鄭谢謝韩韓唐冯馮于董萧蕭程曹袁邓鄧许許"
    "傅沈曾彭吕呂苏蘇卢盧蒋蔣蔡贾賈丁魏薛叶葉阎閻余潘杜戴夏钟鐘鍾汪田任姜范方石姚谭譚廖邹鄒熊金陆陸郝孔白"
    "崔康毛邱秦江史顾顧侯邵孟龙龍万萬段钱錢汤湯尹黎易常武乔喬贺賀赖賴龚龔文施洪游詹简簡柯翁庄莊欧歐涂俞"
)
#: The first syllables of most Korean names.
HANGUL_SURNAMES = frozenset(
    "김이박최정강조윤장임한오서신권황안송류전홍고문양손배백허유남심노하곽성차주우구민진지엄채원천방공현함변염"
)
#: The syllables of most Korean names, places and words of lists.
HANGUL = frozenset(
    "가각간감갑강개건걸견결경계고곤공과관광교구국군권규균극근금기길김나낙난남내노다단달담대덕도동두득등라락란람랑래려련"
    "렬령례로록론룡루류륜률리린림립마만말매맹면명모목묘무묵문미민박반방배백번범변별병보복본봉부북분비빈사산삼상새샘생"
    "서석선설섭성세소손솔송수숙순술숭슬승시식신실심아안애양어언엄업에여역연열염엽영예오옥온완왕외요용우욱운웅원월위유육윤"
    "율은을음의이익인일임자작잔장재전절점정제조종좌주준중지진집차찬창채책천철첨청초촌최추춘출충취치친칠칸탁탄탐태택토통"
    "판팔패편평포표품풍필하학한함합항해행향허헌혁현형혜호홍화환활황회효후훈휘휴흔흥희"
    "는을를에서으로와과도만게고기다들며면하했습니까네요주식회사이름메일주소전화번호상태날짜구독자취소일반회원등급빛별봄여름가을겨울솔잎샘슬아름꽃님빈늘찬든결"
)


@cache
def common_hanzi(is_traditional: bool) -> frozenset[str]:
    """Returns the characters that Chinese lists commonly use, in traditional or else simplified form."""
    level = _common_characters("cp950" if is_traditional else "gb18030")
    return level & (SURNAMES | frozenset(_SAME + _PAIRS[is_traditional::2]))


#: The characters in common use in Japanese lists, without kana.
KANJI = frozenset(_JAPANESE)


def is_common_character(codec: str, character: str) -> bool:
    """Returns whether a character is among the common characters of an East Asian character set."""
    return character in _common_characters(codec)


#: The rows of the characters in common use, by the standard of each set, as first bytes.
_LEVELS = {
    "gb18030": ("gb2312", 0xB0, 0xD8),
    "cp950": ("big5", 0xA4, 0xC7),
    "big5hkscs": ("big5", 0xA4, 0xC7),
    "cp949": ("euc_kr", 0xB0, 0xC9),
    "cp932": ("euc_jp", 0xB0, 0xD0),
    "euc_jp": ("euc_jp", 0xB0, 0xD0),
}


@cache
def _common_characters(codec: str) -> frozenset[str]:
    standard, first, end = _LEVELS[codec]
    return frozenset(_characters_in_charset_rows(standard, range(first, end)))


def _characters_in_charset_rows(charset: str, rows: range) -> Iterator[str]:
    trails = (*range(0x40, 0x7F), *range(0xA1, 0xFF)) if charset == "big5" else range(0xA1, 0xFF)
    for row in rows:
        for trail in trails:
            try:
                yield bytes((row, trail)).decode(charset)
            except UnicodeDecodeError:
                continue
