"""Make src/sekisho/passwords/common_passwords.txt. Run it without arguments from the repository's root.

Source: no leaked collection is copied and nothing is fetched. The base words below were written down by hand
from general knowledge of what people choose (English and romanised Japanese); the rest is built from them by
the patterns that published studies of leaked passwords describe: a word with a number, a year or a mark
after it, digits for letters, a word twice, two words, walks over the keyboard, runs of digits.

Limits: the order of frequency is not known, so this is a list of likely passwords and not "the first N of a
leak"; it is no substitute for a check against breached passwords. Other languages are thinly covered. Dates
and telephone numbers are not in it. One short unit over and over (`aaaaaaaa`, `abcabcabc`) is recognised by
code and left out here. Entries are case folded and have at least 8 characters.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from itertools import pairwise, product
from pathlib import Path

TARGET = Path("src/sekisho/passwords/common_passwords.txt")
SHORTEST = 8
LONGEST = 32
MOST_BYTES = 500_000

# The words that carry every kind of decoration.
TOP_WORDS = """
password passwd passw0rd p@ssword p@ssw0rd pass admin administrator root user test guest login welcome
letmein qwerty qwertyuiop qwertz azerty asdf asdfgh asdfghjkl zxcvbn zxcvbnm qazwsx 1q2w3e 1q2w3e4r
1qaz2wsx q1w2e3r4 abc abcd abcdef abcdefgh abc123 a1b2c3 iloveyou loveyou ilove love lovely baby babygirl
princess angel sunshine monkey dragon master shadow football baseball basketball soccer hockey superman
batman spiderman pokemon pikachu starwars naruto michael jordan jennifer jessica ashley daniel michelle
charlie thomas andrew joshua matthew robert nicole hunter harley ranger buster tigger ginger pepper cookie
summer winter spring autumn freedom whatever trustno1 secret access changeme default system server computer
internet samsung google apple iphone android windows linux mustang ferrari mercedes porsche yamaha honda
toyota killer hello hello123 flower butterfly chocolate cheese banana orange purple silver golden diamond
sakura sayuri hanako tarou taro yamada tanaka suzuki satou sato watanabe takahashi nakamura kobayashi
doraemon totoro gundam onepiece conan kitty hellokitty japan nippon nihon tokyo osaka kyoto yokohama
sapporo fukuoka himitsu aishiteru daisuki arigato arigatou konnichiwa ohayou sensei samurai ninja
pasuwado pasuwaado anata watashi kawaii neko inu usagi hoshi hikari yuki haruka misaki takeshi hiroshi
kenichi tomoko naoko megumi yoshida sasaki matsumoto inoue kimura hayashi shimizu yamamoto
liverpool chelsea arsenal barcelona realmadrid juventus london paris berlin america canada mexico
"""

# Words that people use nearly as often; fewer forms of each.
MORE_WORDS = """
qwerty12 zaq12wsx xsw21qaz mnbvcxz poiuytrewq lkjhgfdsa qweasd qweasdzxc asdzxc aaaaa1 abcd1234 abc12345
a123456 a1234567 a12345678 a123456789 aa123456 aa12345678 q123456 z123456 qq123456 woaini woaini1314 5201314
1314520 147258369 159753 741852963 789456123 987654321 123321 123123 112233 121212 102030 101010 111222 123654
789456 456789 147852 159357 pass123 pass1234 password1 user123 admin123 root123 test123 test1234 guest123
welcome1 letmein1 monkey1 dragon1 master1 sunshine1 princess1 football1 baseball1 superman1 batman1 iloveu
iloveyou1 iloveyou2 ihateyou fuckyou fuckoff asshole bitch pussy nothing something nobody anything forever
friends family mother father brother sister daughter beautiful handsome sweetheart sweetie honey darling
lovers lover boyfriend girlfriend husband marriage heaven jesus christ jesus1 church blessed faith grace
hope peace happy happiness smile lucky lucky7 money dollar million business company office manager
security secure private public service support temporary temp1234 newpass newpassword mypassword oldpassword
thepassword password01 database oracle mysql postgres cisco ubuntu debian docker kubernetes jenkins tomcat
manager1 supervisor operator sysadmin webmaster webadmin backup monitor network firewall router wireless
wifi wifipassword starbucks coffee coffee1 guitar music metallica nirvana slipknot eminem beatles rockstar
drummer dancer player gamer minecraft fortnite roblox warcraft starcraft counter pubgmobile zelda mario
sonic playstation nintendo gamecube xbox360 phoenix falcon eagle tiger lion panther wolf bear rabbit horse
turtle dolphin penguin chicken turkey elephant giraffe kitten puppy doggie maggie bailey buddy sophie lucy
molly daisy rocky max1234 oliver oscar simba felix garfield snoopy mickey minnie donald disney cinderella
tinkerbell barbie alexander alexandra amanda anthony antonio barbara benjamin brandon brittany carlos
caroline catherine charlotte christian christina christopher claudia cristina danielle david dennis
dominic edward elizabeth emily eric fernando francisco gabriel george hannah isabella jackson jacob james
jasmine jason jeremy jonathan joseph justin katherine kimberly laura lauren leonardo lindsay louise
madison marcus margaret maria martin melissa miguel mohammed morgan natalie natasha nathan nicholas olivia
patricia patrick rachel raymond rebecca ricardo richard roberto samantha samuel sandra sebastian stephanie
stephen steven sydney taylor teresa tiffany timothy tyler vanessa veronica victor victoria vincent virginia
william zachary monday tuesday wednesday thursday friday saturday sunday january february march april june
july august september october november december england scotland ireland australia germany france italia
espana brasil argentina colombia india indonesia philippines thailand vietnam singapore newyork california
texas florida chicago boston dallas houston seattle denver lakers cowboys yankees steelers redsox patriots
eagles raiders dodgers giants tigers hanshin carp marinos softbank nintendo1 sony toshiba hitachi fujitsu
docomo rakuten yahoo mixi hatena facebook twitter instagram youtube amazon microsoft hotmail gmail linkedin
ichigo ringo mikan momo sakurasaku fujisan shinkansen sushi ramen tempura onigiri karaoke anime manga
otaku evangelion sailormoon dragonball goku vegeta luffy zoro kimetsu tanjiro nezuko conan123 ghibli
akira ayumi ayaka chihiro daisuke eriko fumiko hideki hiromi hitomi ichiro jiro junko kaori kazuki keiko
kenji kenta koichi kumiko kyoko makoto mariko masaru mayumi michiko minami miyuki naoki natsuki noriko
rieko ryota sachiko satoshi shinji shizuka shota takashi takuya tatsuya tetsuya tomomi toshio yasuko yoko
yoshiko yuichi yuka yukiko yumiko yusuke ogawa okada fujita fujiwara hasegawa goto ishikawa ishii kato
maeda mori murakami nakajima nishimura ono saito sakamoto yamaguchi yamashita yamazaki abe aoki endo
genki ganbaru ganbare kazoku tomodachi tenshi megami kamisama mahou sekai chikyuu taiyou tsuki sora umi
kaze yama kawa hana tori inuinu nekoneko kirakira dokidoki wakuwaku nikoniko pikapika
"""

# Whole passwords and phrases, most of them long.
PHRASES = """
thequickbrownfox thequickbrownfoxjumps thequickbrownfoxjumpsoverthelazydog correcthorsebatterystaple
iloveyouforever iloveyousomuch iloveyoubaby iloveyoumom iloveyoudad iloveyoumore iloveyouverymuch iloveyou3000
iloveyouiloveyou ilovemyfamily ilovemymother ilovemychildren ilovemyhusband ilovemywife ilovemykids ilovemydog
ilovemycat ilovemylife ilovejesuschrist jesuslovesme jesusismysavior jesuschristislord inmemoryof godisgood
godislove godblessamerica godisgoodallthetime inthenameofgod maytheforcebewithyou lukeiamyourfather
tobeornottobe tobeornottobethatisthequestion onceuponatime happybirthday happybirthdaytoyou happynewyear
happyeverafter merrychristmas trustnoone letmeinplease letmeinnow openthedoor opensesame opensesame123
mypasswordis mypasswordispassword thisismypassword thisisapassword thisispassword thispasswordissecure
passwordispassword mypassword mypassword1 mypassword123 yourpassword newpassword123 changeme123 changemenow
changeit12345 pleasechangeme pleasechangethis passwordpassword passwordpassword1 passwordpassword123
password123password passwordadmin adminpassword adminadmin adminadmin123 administrator123 administrator1234
rootpassword rootrootroot testpassword testpassword1 testpassword123 testtesttest test1234test1234 testing123
testing12345 testing123456 userpassword guestpassword defaultpassword temporarypassword temppassword
supersecret supersecret123 supersecretpassword topsecret topsecret123 secretpassword secretsecret
verysecretpassword verysecurepassword securepassword mysecretpassword donttellanyone idontknow idontknow123
idontremember iforgotmypassword iforgot1234 forgotpassword whatismypassword whatever123 whocares123
ihatepasswords ihatethis123 fuckyoufuckyou fuckyou123456 gotohell123 leavemealone imissyou123 loveyouforever
alwaysandforever foreverandever foreveryours trueloveforever bestfriendsforever bestfriends123 sweethearts
qwertyuiop123456 qwertyuiop1234567890 qwertyuiop123456789 qwertyuiopasdfgh qwertyuiopasdfghjkl
qwertyuiopasdfghjklzxcvbnm qwertyqwerty qwertyqwerty123 qwerty123456789 qwerty1234567890 qwerty123qwerty123
asdfghjkl123456 asdfghjkl123456789 asdfghjklzxcvbnm zxcvbnmasdfghjkl zxcvbnm123456789 1q2w3e4r5t 1q2w3e4r5t6y
1q2w3e4r5t6y7u 1q2w3e4r5t6y7u8i 1q2w3e4r5t6y7u8i9o 1q2w3e4r5t6y7u8i9o0p q1w2e3r4t5 q1w2e3r4t5y6 q1w2e3r4t5y6u7i8
q1w2e3r4t5y6u7i8o9p0 1qaz2wsx3edc 1qaz2wsx3edc4rfv 1qaz2wsx3edc4rfv5tgb 1qaz2wsx3edc4rfv5tgb6yhn 1qazxsw2
1qazxsw23edc zaq1xsw2 zaq1xsw2cde3 zaq12wsxcde3 zaq12wsxcde34rfv qazwsxedc qazwsxedcrfv qazwsxedcrfvtgb
qazwsxedcrfvtgbyhn qazwsxedcrfvtgbyhnujm qweasdzxc123 qwe123qwe123 qwe123asd456 qweqweqwe asdasdasd zxczxczxc
asd123asd123 zxc123zxc123 qwer1234qwer1234 asdf1234asdf1234 asdfasdfasdf asdfqwerzxcv 1234qwerasdfzxcv qwerasdfzxcv
qwerasdfzxcv1234 1234qwerasdf qwer1234asdf abcdefghijklmnopqrstuvwxyz abcdefghijklmnop abcdefghijklmno abcdefg123
abcdefg1234567 abc123abc123abc abcd1234abcd1234 abc123def456 abcdef123456 abcdefgh12345678 a1b2c3d4 a1b2c3d4e5
a1b2c3d4e5f6 a1b2c3d4e5f6g7 a1b2c3d4e5f6g7h8 aa11bb22cc33 aabbccdd aabbccddeeff aabbccddeeffgg 1a2b3c4d 1a2b3c4d5e
1a2b3c4d5e6f 123abc456def 123qweasdzxc 123qwe123qwe 123456qwerty 123456qwertyuiop 12345qwert 12345qwertasdfg
1234567890qwerty 1234567890qwertyuiop 123456789qwertyuiop 123456789abcdef 1234567890abcdef 0123456789abcdef
123456789qwerty 123456789password 12345678password 1234567890password 123456abcdef 0123456789 01234567890123456789
1234512345 123456123456 12345671234567 1234567812345678 123456789123456789 12345678901234567890 1234567890123
12345678901234 123456789012345 1234567890123456 098765432109876 0987654321 09876543210987654321 987654321987654321
9876543210 98765432109876543210 1122334455 112233445566 11223344556677 1122334455667788 112233445566778899
11112222 1111222233334444 111122223333 111222333444555 111222333 123123123123123 123321123321 1234554321 12344321
1234567887654321 123456654321 147258369147258 147258369123 159753159753 789456123789456123 789456123123 741852963
741852963741852 963852741 963852741963852 753951456 357159456 102030405060 10203040506070 1020304050 100200300400
314159265358979 3141592653589793 31415926535 271828182845904 271828182845 11235813 1123581321 112358132134
24681012 2468101214 13579111315 13579246810 1357924680 0147258369 1472583690 3216549870 987456321 654321987
doraemon123456 doraemondoraemon pikachupikachu pokemonmaster sakurasakura sakura123456789 aishiteruyo aishiteruzo
aishiteruaishiteru aishiteimasu daisukidayo daisukidesu daisukidaisuki arigatougozaimasu arigatogozaimasu
ohayougozaimasu konnichiwasekai konnichiwa123456 hajimemashite yoroshikuonegaishimasu onegaishimasu itadakimasu
gochisousama otsukaresama otsukaresamadesu tanjoubiomedetou omedetougozaimasu himitsunopasuwado watashinopasuwado
watashinonamae watashihagenki watashinokazoku anatagadaisuki anatagasuki kimigadaisuki bokunonamae iroha
irohanihoheto irohanihohetochirinuruwo aiueokakikukeko aiueoaiueo aiueo12345 kakikukeko sashisuseso tachitsuteto
naninuneno hahifuheho mamimumemo akasatana akasatanahamayarawa yamadatarou yamadahanako yamadataro yamadatarou123
suzukiichiro tanakatarou satouhanako nihonichi nipponichi ganbarenippon ganbarejapan hanshintigers yomiurigiants
tokyogiants tokyodisneyland disneyland123 tokyotower tokyo2020olympics tokyoolympic2020 ghostintheshell
neongenesisevangelion kimetsunoyaiba shingekinokyojin dragonballz dragonball123 onepieceluffy narutouzumaki
uzumakinaruto sasukeuchiha sasuke123456 hatsunemiku hatsunemiku39 lovelive123 finalfantasy finalfantasy7
dragonquest dragonquest123 monsterhunter monsterhunter123 supermario123 supermariobros animalcrossing
liverpoolfc youllneverwalkalone manchesterunited manchestercity chelseafc arsenalfc realmadrid123 fcbarcelona
barcelona123456 borussiadortmund bayernmunich newyorkyankees dallascowboys losangeleslakers goldenstatewarriors
harrypotter harrypotter123 hogwarts lordoftherings gameofthrones winteriscoming starwars123456 darthvader
lukeskywalker obiwankenobi millenniumfalcon startrek123 starshipenterprise captainamerica captainkirk
spiderman123 spidermanspiderman supermansuperman batmanbatman ironman12345 wonderwoman thedarkknight
princessprincess sunshinesunshine chocolatechocolate butterflybutterfly elizabeth123456 alexander123456
christopher123 christopher1234 jennifer123456 michael123456789 michaeljackson michaeljordan23 michaeljordan
britneyspears avrillavigne justinbieber justinbieber1 onedirection taylorswift taylorswift13 greenday12345
linkinpark123 linkinpark redhotchilipeppers metallica123456 welcome123456789 welcometomyworld welcometohell
welcomehome helloworld helloworld1 helloworld123 helloworld12345 hellohello hellohello123 hellothere123
goodmorning goodmorning123 goodnight123 goodbye12345 howareyou123 whatsup12345 computercomputer mycomputer123
internet123456 internetexplorer microsoftwindows windows10pro windowsxp123 samsunggalaxy samsung123456789
appleiphone raspberry raspberrypi ubuntu123456 linuxlinux letmeinletmein letmein123456 letmein1234567
monkeymonkey monkey123456789 dragondragon dragon123456789 mastermaster master123456789 shadowshadow footballfootball
football123456 baseball123456 basketball123 basketball12345 liverpool123456 superman123456789 trustno1trustno1
strawberry strawberry1 blueberry123 watermelon pineapple123 sunflower123 rainbow12345 rainbowdash123 unicorn12345
snowflake123 lollipop123 cupcake12345 cheesecake123 hamburger123 spaghetti123 mypuppy12345 mykitten1234
passwordqwerty qwertypassword qwerty123password password123qwerty passwordabc123 abc123password p@ssw0rdp@ssw0rd
p@ssw0rd123456 p@ssw0rd12345678 p@$$w0rd p@$$w0rd1 p@$$w0rd123 p@$$word p@$$word123 pa$$word pa$$word1 pa$$w0rd
pa$$w0rd1 pa$$w0rd123 pa55word pa55word1 pa55word123 pa55w0rd pa55w0rd1 pa55w0rd123 passw0rd123456789 l3tm31n123
adm1n1strator admin@123456 admin123admin123 admin1234567890 administrator@123 root@123456 test@123456 user@123456
welcome@123456 qwerty@123456 abcd@1234567 india@123456 pass@word1 pass@word123 pass@123456 pass1234word
!qaz2wsx !qaz@wsx !qaz2wsx#edc !qaz@wsx#edc !qazxsw2 1qaz@wsx 1qaz!qaz 1qaz2wsx!qaz@wsx zaq!2wsx zaq1@wsx
!@#$%^&* !@#$%^&*( !@#$%^&*() !@#$%^&*()_+ !@#$1234 1234!@#$ 12345!@#$% 123456!@#$%^ qwer!@#$ qwer1234!@#$ abcd!@#$
"""

ENDINGS = """
1 2 3 7 8 01 07 10 11 12 13 21 22 23 69 77 88 99 00 007 111 123 234 321 333 555 666 777 888 999
000 1111 1212 1234 1313 4321 7777 0000 12345 11111 123123 123321 123456 654321
1234567 12345678 123456789 1234567890 ! !! !!! 1! 12! 123! 1234! 12345! 123456! !1 !123 !@# @1 @12 @123 @1234
@12345 #1 $1 . 123. * _123 .123 abc abcd qwe qwerty 123abc abc123
"""
YEARS = [str(year) for year in range(1970, 2031)]
RECENT = [str(year) for year in range(2018, 2031)]
LONG_ENDINGS = [
    "123456789",
    "1234567890",
    "123456789!",
    "12345678",
    "0123456789",
    "987654321",
    "qwertyuiop",
    "qwerty123",
]
MORE_ENDINGS = ["1", "12", "123", "1234", "123456", "!", "123!", "01"]
BEGINNINGS = [
    "1",
    "12",
    "123",
    "1234",
    "12345",
    "123456",
    "my",
    "the",
    "i",
    "ilove",
    "iam",
    "love",
    "super",
    "new",
    "!",
    "@",
]
ROWS = ["1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertzuiop", "azertyuiop", "qsdfghjklm", "1234567890-^"]
COLUMNS = ["1qaz", "2wsx", "3edc", "4rfv", "5tgb", "6yhn", "7ujm", "8ik,", "9ol.", "0p;/"]
LEET = [
    str.maketrans("aeio", "43!0"),
    str.maketrans("aeio", "@310"),
    str.maketrans("aeios", "43105"),
    str.maketrans("aos", "@0$"),
    str.maketrans("ao", "a0"),
    str.maketrans("a", "@"),
]


def decorated(words: Iterable[str], endings: Iterable[str]) -> Iterator[str]:
    """Each word alone, twice, and with each ending."""
    kept = list(endings)
    for word in words:
        yield word
        yield word + word
        yield from (word + ending for ending in kept)


def digits_for_letters(words: Iterable[str]) -> Iterator[str]:
    for word, table in product(words, LEET):
        changed = word.translate(table)
        if changed != word:
            yield changed
            yield from (changed + ending for ending in ("1", "!", "123", "1234", "@123", "2026"))


def keyboard_walks() -> Iterator[str]:
    """Along the rows in both directions, round again at the end, and down the columns."""
    for row in [*ROWS, *(row[::-1] for row in ROWS)]:
        endless = row * 4
        yield from (endless[start : start + size] for start in range(len(row)) for size in range(SHORTEST, 25))
    for chosen in [COLUMNS, [column[::-1] for column in COLUMNS]]:
        yield from ("".join(chosen[start : start + count]) for start in range(9) for count in range(2, 7))
        yield from ("".join(reversed(chosen[start : start + count])) for start in range(9) for count in range(2, 7))
    for upper, lower in [*pairwise(ROWS[:4]), *zip(ROWS[1:4], ROWS, strict=False)]:
        zigzag = "".join(a + b for a, b in zip(upper, lower, strict=False))
        yield from (zigzag[start : start + size] for start in (0, 2, 4) for size in range(SHORTEST, 19))


def runs() -> Iterator[str]:
    """Digits and letters in order, up and down, and years in a row."""
    alphabet = "abcdefghijklmnopqrstuvwxyz"
    for line in ("01234567890123456789", "98765432109876543210", alphabet, alphabet[::-1]):
        yield from (line[start : start + size] for start in range(10) for size in range(SHORTEST, 19))
    for year in YEARS:
        yield from (year + year, year + str(int(year) + 1), year + "1234", "1234" + year, year + "0101", "0101" + year)


def build() -> list[str]:
    """Return the finished list: folded, bounded, each once, sorted."""
    top, more, phrases = TOP_WORDS.split(), MORE_WORDS.split(), PHRASES.split()
    made = set(phrases)
    made.update(decorated(top, [*ENDINGS.split(), *LONG_ENDINGS, *RECENT, *(year + "!" for year in RECENT)]))
    made.update(decorated(more, MORE_ENDINGS))
    made.update(start + word for start, word in product(BEGINNINGS, top))
    made.update(phrase + ending for phrase in phrases if phrase.isalpha() for ending in ("1", "!", "123", "1!"))
    made.update(digits_for_letters(top))
    made.update(first + second for first, second in product(top[:60], repeat=2))
    made.update(keyboard_walks())
    made.update(runs())
    folded = (unicodedata.normalize("NFKC", entry.casefold()) for entry in made)
    return sorted({entry for entry in folded if SHORTEST <= len(entry) <= LONGEST})


def main() -> None:
    entries = build()
    long = sum(len(entry) >= 15 for entry in entries)
    header = [
        "## Common passwords, case folded, one a line. Made by scripts/make_common_passwords.py; do not edit.",
        "## The source and its limits stand at the top of that script: hand-written words and patterns.",
        f"## {len(entries)} entries of {SHORTEST} characters and more, {long} of them of 15 and more.",
    ]
    text = "\n".join([*header, *entries]) + "\n"
    if len(text.encode()) > MOST_BYTES:
        raise SystemExit(f"{len(text.encode())} bytes: more than the package should carry")
    TARGET.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
