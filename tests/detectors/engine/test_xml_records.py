from __future__ import annotations

from xml.etree import ElementTree

from detectors.engine.xml_records import Survey


def surveyed(text: str) -> Survey:
    survey = Survey()

    def walk(element: ElementTree.Element) -> None:
        survey.start(element.tag, element.attrib)
        survey.characters(element.text or " ")
        for child in element:
            walk(child)
            survey.characters(child.tail or " ")
        survey.end(element.tag)

    walk(ElementTree.fromstring(text))
    return survey


def paths(text: str) -> set[str]:
    return {"/".join(path) for path in surveyed(text).records()}


def test_the_most_frequent_element_with_values_is_the_record() -> None:
    people = "<p><age>4</age><sex>M</sex></p>" * 3
    assert paths(
        f"<a><year><n>1</n><who>{people}</who></year><year><n>2</n><who>{people}</who></year></a>"
    ) == {"a/year/who/p"}


def test_records_of_different_kinds_beside_each_other_are_all_named() -> None:
    assert paths("<a>" + "<p x='1' y='2'/>" * 4 + "<q><s>1</s><t>2</t></q>" * 3 + "</a>") == {"a/p", "a/q"}


def test_a_document_without_repetition_has_no_records() -> None:
    assert paths("<a><title>x</title><body>y</body></a>") == set()


def test_a_page_with_elements_amid_its_text_has_no_records_but_rows_of_cells() -> None:
    credit = "<credit kind='author'><name>Jo Bell</name><email>jo@example.org</email></credit>" * 3
    text = "<p>Press <key>F1</key> to begin.</p>" * 4
    assert surveyed(f"<page>{credit}{text}</page>").is_document
    assert paths(f"<page>{credit}{text}</page>") == set()
    rows = "<row><cell>1</cell><cell>2</cell></row>" * 3
    assert paths(f"<page>{text}{rows}</page>") == {"page/row"}
    assert not surveyed(f"<list>{credit}</list>").is_document


def test_parts_of_one_record_that_take_turns_are_no_records_but_the_element_around_them() -> None:
    case = "<case id='{}'><who><sex>1</sex><age>40</age></who><said><a>1</a><b>2</b></said></case>"
    assert paths("<all>" + "".join(map(case.format, range(4))) + "</all>") == {"all/case"}
    assert paths("<x><all>" + "".join(map(case.format, range(4))) + "</all></x>") == {"x/all/case"}
    lacking = case.replace("<said><a>1</a><b>2</b></said>", "")
    assert paths("<all>" + case * 3 + lacking * 2 + "</all>") == {"all/case"}


def test_records_of_which_several_lie_in_one_element_stay_apart() -> None:
    home = "<home><head><age>50</age><sex>F</sex></head>" + "<p><age>4</age><sex>M</sex></p>" * 3 + "</home>"
    assert paths("<all>" + home * 4 + "</all>") == {"all/home/head", "all/home/p"}
    only = "<item><person><age>4</age><sex>M</sex></person></item>"
    assert paths("<all>" + only * 4 + "</all>") == {"all/item/person"}
    assert paths("<all><y><p><a>1</a><b>1</b></p><q><a>1</a><b>1</b></q></y></all>") == set()


def test_an_empty_element_with_a_name_ending_in_oid_and_a_value_is_a_pair() -> None:
    items = "<i ItemOID='AGE' Value='4'/><i ItemOID='SEX' Value='1'/><i ItemOID='JOB' Value='2'/>"
    assert paths("<a>" + f"<who key='k'><g o='1'>{items}</g></who>" * 4 + "</a>") == {"a/who/g"}
