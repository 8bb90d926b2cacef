import csv
import re
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.companies import REFERENCE, SHOWN, Owner, owner, with_companies
from pipeline.company_names import key_of, readable
from pipeline.organisation_words import organisation_words
from pipeline.schema import COMPANY_KINDS

COLUMNS = ("as_org", "asn", "company", "company_domain", "connection_type", "country")
SCHEMA = pl.Schema(dict.fromkeys(COLUMNS, pl.String) | {"asn": pl.Int32})


def of(**known: Any) -> Owner:
    network = dict.fromkeys(COLUMNS) | {"country": "US"} | known
    return owner(*(network[name] for name in COLUMNS))


@pytest.mark.parametrize(
    ("network", "expected"),
    [
        pytest.param(
            {"as_org": "SIEMENS AG"}, ("Siemens", "siemens.com", "business", None), id="known"
        ),
        pytest.param(
            {"as_org": "Google LLC", "asn": 15169},
            ("Google", "google.com", "business", None),
            id="Google itself",
        ),
        pytest.param(
            {"as_org": "Google LLC", "asn": 396982},
            (None, None, "hosting", "Google Cloud"),
            id="Google Cloud",
        ),
        pytest.param(
            {"as_org": "Google Fiber Inc.", "asn": 16591}, (None, None, "isp", None), id="its ISP"
        ),
        pytest.param(
            {"as_org": "AMAZON-02", "asn": 16509}, (None, None, "hosting", "AWS"), id="AWS handle"
        ),
        pytest.param(
            {"as_org": "Amazon Data Services Ireland Ltd"},
            (None, None, "hosting", "AWS"),
            id="AWS by name",
        ),
        pytest.param(
            {"as_org": "MICROSOFT-CORP-MSN-AS-BLOCK", "asn": 8075},
            (None, None, "hosting", "Azure"),
            id="Azure",
        ),
        pytest.param(
            {"as_org": "Microsoft Corporation", "asn": 3598},
            ("Microsoft", "microsoft.com", "business", None),
            id="Microsoft itself",
        ),
        pytest.param(
            {"as_org": "Hetzner Online GmbH", "country": "FI"},
            (None, None, "hosting", "Hetzner"),
            id="hoster",
        ),
        pytest.param({"as_org": "OVH SAS"}, (None, None, "hosting", "OVHcloud"), id="OVHcloud"),
        pytest.param(
            {"as_org": "DIGITALOCEAN-ASN"}, (None, None, "hosting", "DigitalOcean"), id="handle"
        ),
        pytest.param({"as_org": "Deutsche Telekom AG"}, (None, None, "isp", None), id="known ISP"),
        pytest.param(
            {"as_org": "Acme Broadband LLC"}, (None, None, "isp", None), id="ISP by its words"
        ),
        pytest.param(
            {"as_org": "PT Mega Telekomunikasi Nusantara"},
            (None, None, "isp", None),
            id="word's end",
        ),
        pytest.param(
            {"as_org": "Acme Webhosting B.V."}, (None, None, "hosting", None), id="hoster by words"
        ),
        pytest.param(
            {"as_org": "Massachusetts Institute of Technology"},
            ("MIT", "mit.edu", "education", None),
            id="known university",
        ),
        pytest.param(
            {"as_org": "UNIVERSIDAD DE EJEMPLO", "country": "ES"},
            ("Universidad de Ejemplo", None, "education", None),
            id="university by words",
        ),
        pytest.param(
            {"as_org": "Ministry of Examples", "country": "GB"},
            ("Ministry of Examples", None, "government", None),
            id="ministry",
        ),
        pytest.param(
            {"as_org": "First Example Bank, N.A."},
            ("First Example Bank, N.A", None, "business", None),
            id="bank",
        ),
        pytest.param(
            {"as_org": "Beispiel Maschinen GmbH", "country": "DE"},
            ("Beispiel Maschinen", None, "business", None),
            id="company at home",
        ),
        pytest.param(
            {"as_org": "Beispiel Maschinen GmbH", "country": "SC"},
            (None, None, "unknown", None),
            id="company far from home",
        ),
        pytest.param(
            {"as_org": "Ivan Petrov", "country": "RU"}, (None, None, "unknown", None), id="a person"
        ),
        pytest.param(
            {
                "as_org": "Comcast",
                "asn": 7922,
                "company": "Acme Corp",
                "company_domain": "acme.com",
            },
            ("Acme", "acme.com", "business", None),
            id="the data names a company on an ISP",
        ),
        pytest.param(
            {
                "as_org": "Comcast",
                "asn": 7922,
                "company": "Comcast Cable",
                "connection_type": "isp",
            },
            (None, None, "isp", None),
            id="the data names the ISP as a company",
        ),
        pytest.param(
            {"as_org": "AMAZON-02", "asn": 16509, "company": "Acme", "connection_type": "business"},
            ("Acme", None, "business", "AWS"),
            id="a company inside a cloud",
        ),
        pytest.param(
            {"as_org": "Obscure", "connection_type": "business", "country": None},
            ("Obscure", None, "business", None),
            id="the data's own word",
        ),
        pytest.param(
            {
                "as_org": "Obscure",
                "company_domain": "obscure.example",
                "connection_type": "hosting",
            },
            (None, None, "hosting", None),
            id="a hoster's domain is not shown",
        ),
        pytest.param(
            {"connection_type": "residential"}, (None, None, "isp", None), id="type alone"
        ),
        pytest.param({}, (None, None, "unknown", None), id="nothing"),
    ],
)
def test_owners(network: dict[str, Any], expected: Any) -> None:
    assert of(**network) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("GOOGLE - Google LLC", "Google"),
        ("SIEMENS AG", "Siemens"),
        ("DE-BEISPIEL-AS Beispiel GmbH", "Beispiel"),
        ("DE-BEISPIEL-AS", "Beispiel"),
        ("AS64500 Beispiel GmbH", "Beispiel"),
        ("Beispiel GmbH & Co. KG", "Beispiel"),
        ("Beispiel GmbH, DE", "Beispiel"),
        ("EJEMPLO S.A. de C.V.", "Ejemplo"),
        ("Przyklad Sp. z o.o.", "Przyklad"),
        ('OOO "Primer"', "Primer"),
        ("PT Contoh Indonesia Tbk", "Contoh Indonesia"),
        ("Rei Co., Ltd.", "Rei"),
        ("KPMG LLP", "KPMG"),
        ("SAP SE", "SAP"),
        ("eBay Inc.", "eBay"),
        ("BANK OF EXAMPLE", "Bank of Example"),
        ("Inc.", "Inc"),
    ],
    ids=str,
)
def test_names_are_cleaned(name: str, expected: str) -> None:
    assert readable(name) == expected


def test_every_row_keeps_its_place_and_its_other_columns() -> None:
    rows = [
        {"as_org": "SIEMENS AG", "asn": 29301, "country": "DE", "version": "1"},
        {"as_org": None, "asn": None, "country": None, "version": "2"},
        {"as_org": "Amazon.com, Inc.", "asn": 16509, "country": "US", "version": "3"},
    ] * 400
    events = pl.LazyFrame(rows, schema=SCHEMA | {"version": pl.String})
    out = with_companies(events).collect(engine="streaming")
    assert out["version"].to_list() == ["1", "2", "3"] * 400
    assert out["company"].to_list() == ["Siemens", None, None] * 400
    assert out["cloud_provider"].to_list() == [None, None, "AWS"] * 400
    assert out["as_org"].to_list() == [row["as_org"] for row in rows]


texts = st.none() | st.text(max_size=30) | st.sampled_from(["Comcast", "AMAZON-02", "SIEMENS AG"])


@given(
    st.lists(
        st.tuples(
            texts,
            st.none() | st.integers(0, 2**31 - 1),
            texts,
            texts,
            texts,
            st.sampled_from(["DE", None]),
        ),
        max_size=20,
    )
)
def test_isps_and_clouds_are_never_a_company(rows: list[tuple[Any, ...]]) -> None:
    events = pl.LazyFrame(rows, schema=SCHEMA, orient="row")
    out = with_companies(events).collect()
    assert out.height == len(rows)
    assert set(out["company_kind"]) <= set(COMPANY_KINDS)
    hidden = out.filter(~pl.col("company_kind").is_in(SHOWN))
    assert hidden.select("company", "company_domain").null_count().row(0) == (hidden.height,) * 2


@given(st.text(min_size=1, max_size=40).filter(lambda name: name.strip()))
def test_every_name_can_be_read(name: str) -> None:
    assert readable(name).strip()
    assert key_of(name) == key_of(name).lower()


def table(name: str) -> list[dict[str, str]]:
    with (REFERENCE / name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("name", ["organisations.csv", "networks.csv"])
def test_the_tables_are_clean(name: str) -> None:
    rows = table(name)
    keys = [next(iter(row.values())) for row in rows]
    assert len(keys) == len(set(keys))
    for row in rows:
        assert row["kind"] in COMPANY_KINDS, row
        assert bool(row["name"]) or row["kind"] in {"isp", "hosting"}, row
        assert not row["cloud"] or row["kind"] == "hosting", row
        assert re.fullmatch(r"([a-z0-9-]+\.)+[a-z]+|", row["domain"]), row


def test_every_match_is_spelt_as_names_are_compared() -> None:
    wrong = [
        row["match"] for row in table("organisations.csv") if key_of(row["match"]) != row["match"]
    ]
    assert wrong == []


def test_every_rule_names_a_kind() -> None:
    words = organisation_words()
    assert {rule.kind for rule in words.rules} | set(words.connections.values()) <= set(
        COMPANY_KINDS
    )
