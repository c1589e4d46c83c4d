"""What a rendered voice is told: golden signs, nothing left out in silence."""

import string

import pytest

from drivers.speech import kokoro, pinyin, signs


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("dao4 san1hao4 chuang1kou3 ban4li3 ye4wu4.", "tau↘ sa→nxau↘ ꭧʰwa→ŋkʰou↓ pa↘nli↓ je↘u↘."),
        ("qing3 shao1hou4", "ʨʰi↓ŋ ʂau→xou↘"),
        ("ben3 chuang1kou3 zan4ting2 fu2wu4", "pə↓n ꭧʰwa→ŋkʰou↓ ʦa↘ntʰi↗ŋ fu↗u↘"),
        ("guo4 hao4 qing3 dao4 fu2wu4tai2", "kwo↘ xau↘ ʨʰi↓ŋ tau↘ fu↗u↘tʰai↗"),
        ("ling2 yi1 yao1 er4 san1 si4 wu3 liu4", "li↗ŋ i→ jau→ ɚ↘ sa→n sɨ↘ u↓ ljou↘"),
        ("qi1 ba1 jiu3 shi2", "ʨʰi→ pa→ ʨjou↓ ʂɨ↗"),
        ("nv3 lve4 yuan2 yun4 xue2 wen4 shui3 er2 ri4 de5", "ny↓ lɥe↘ ɥɛ↗n y↘n ɕɥe↗ wə↘n ʂwei↓ ɚ↗ ɻɨ↘ tɤ"),
    ],
)
def test_syllables_are_written_as_the_voice_learned_them(words: str, said: str) -> None:
    assert pinyin.sounds(words) == said


@pytest.mark.parametrize("wrong", ["hm5", "ban", "ban6", "jer2"])
def test_what_is_no_syllable_is_refused(wrong: str) -> None:
    with pytest.raises(pinyin.NotPinyin):
        pinyin.sounds(wrong)


@pytest.mark.parametrize(
    ("unit", "zh", "en"),
    [
        ("please", "ʨʰi↓ŋ,", "tˈɪkət,"),
        ("letter-A", "ei→.", "ˈA."),
        ("number-012", "li↗ŋ i→ ɚ↘ xau↘.", "zˈɪɹO wˈʌn tˈu."),
        ("window-28", "tau↘ ɚ↘ʂɨ↗pa→xau↘ ꭧʰwa→ŋkʰou↓ pa↘nli↓.", "plˈiz pɹəsˈid tə wˈɪndO twˈɛnti ˈAt."),
        ("window-A3", "tau↘ ei→ sa→nxau↘ ꭧʰwa→ŋkʰou↓ pa↘nli↓.", "plˈiz pɹəsˈid tə wˈɪndO ˈA θɹˈi."),
    ],
)
def test_units_of_a_call(unit: str, zh: str, en: str) -> None:
    assert (signs.of_unit(unit, "zh"), signs.of_unit(unit, "en")) == (zh, en)


def test_a_ticket_in_one_breath_keeps_its_letter_and_its_number_apart() -> None:
    please, letter, number = (signs.of_unit(unit, "zh")[:-1] for unit in ("please", "letter-A", "number-012"))
    assert signs.of_unit("ticket-A012", "zh") == f"{please}, {letter}, {number}."
    assert signs.of_unit("ticket-012", "zh") == f"{please}, {number}."
    assert signs.of_unit("ticket-AB012", "zh").count(",") == 3
    assert signs.of_unit("ticket-A101", "zh", yao=True).endswith("jau→ li↗ŋ jau→ xau↘.")
    assert signs.of_unit("ticket-A012", "en") == "tˈɪkət ˈA, zˈɪɹO wˈʌn tˈu."


def test_one_may_be_read_yao() -> None:
    assert signs.of_unit("number-101", "zh", yao=True) == "jau→ li↗ŋ jau→ xau↘."


@pytest.mark.parametrize("language", sorted(signs.LANGUAGES))
def test_the_voice_knows_every_sign_of_every_call(language: str) -> None:
    units = [f"letter-{letter}" for letter in string.ascii_uppercase]
    units += [f"number-{number:03}" for number in range(1000)] + [f"window-{number}" for number in range(1, 1000)]
    for unit in units:
        assert len(kokoro.tokens(signs.of_unit(unit, language))) > 3, unit
    assert len({signs.of_unit(unit, language) for unit in units}) == len(units), "two units sound alike"


def test_free_text_reads_figures_as_people_do() -> None:
    def said(text: str) -> str:
        return signs.of_sentence(text, "zh")

    assert said("10:30 停电") == said("十点三十分 停电")
    assert said("9:05 开门。") == said("九点零五分 开门。")
    assert said("2 号门，12 号") == said("二 号门，十二 号")
    assert said("电话 05588888") == said("电话 零五五八八八八八")
    assert said("银行办理，重复") == "i↗nxa↗ŋpa↘nli↓, ꭧʰʊ↗ŋfu↘"  # 行 and 重 by the word that they stand in
    assert kokoro.tokens(said("请注意，请从 A 区有序离开！"))


@pytest.mark.parametrize("text", ["💥", "100%", "ж"])
def test_what_cannot_be_said_is_refused_and_not_left_out(text: str) -> None:
    with pytest.raises(signs.Unsayable):
        signs.of_sentence(f"请注意{text}。", "zh")


def test_unknown_signs_are_refused() -> None:
    with pytest.raises(kokoro.Trouble, match="§"):
        kokoro.tokens("pa↘n§")
    for nothing in ("", " ,.", "a" * (kokoro.MOST_SIGNS + 1)):
        with pytest.raises(kokoro.Trouble):
            kokoro.tokens(nothing)
    for unit, language in (("letter-Ä", "zh"), ("window-东", "zh"), ("please", "fr"), ("chime", "zh")):
        with pytest.raises(signs.Unsayable):
            signs.of_unit(unit, language)
