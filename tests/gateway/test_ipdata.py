import datetime as dt
import random
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from gateway.ipdata import NOWHERE, IpData, Place, is_global
from gateway.iprecord import place_of

SHIPPED = Path(__file__).parents[2] / "data" / "ip"


@pytest.fixture(scope="module")
def shipped() -> IpData:
    return IpData.open(SHIPPED)


def write(path: Path, database_type: str, networks: dict[str, Any], ip_version: int = 6) -> None:
    writer = MMDBWriter(
        ip_version, database_type, languages=["en"], ipv4_compatible=ip_version == 6
    )
    for network, record in networks.items():
        writer.insert_network(IPSet([network]), record)
    writer.to_db_file(str(path))


@pytest.mark.parametrize(
    ("address", "country", "asn", "org"),
    [
        pytest.param("8.8.8.8", "US", 15169, "Google", id="Google, IPv4"),
        pytest.param("2001:4860:4860::8888", "US", 15169, "Google", id="Google, IPv6"),
        pytest.param("1.1.1.1", "AU", 13335, "Cloudflare", id="Cloudflare, IPv4"),
        pytest.param("2606:4700:4700::1111", "US", 13335, "Cloudflare", id="Cloudflare, IPv6"),
        pytest.param("217.0.0.1", "DE", 3320, "Deutsche Telekom", id="Deutsche Telekom, IPv4"),
        pytest.param("2003::1", "DE", 3320, "Deutsche Telekom", id="Deutsche Telekom, IPv6"),
        pytest.param("18.9.22.69", "US", 3, "Massachusetts Institute", id="a university"),
        pytest.param("133.11.0.1", "JP", 2501, "The University of Tokyo", id="another"),
        pytest.param("140.82.112.3", "US", 36459, "GitHub", id="GitHub"),
        pytest.param("95.216.1.1", "FI", 24940, "Hetzner", id="a German hoster's Finnish site"),
        pytest.param("3.5.140.2", "KR", 16509, "Amazon", id="a cloud region in its country"),
        pytest.param("::ffff:8.8.8.8", "US", 15169, "Google", id="IPv4 inside IPv6"),
    ],
)
def test_the_shipped_database_knows_well_known_networks(
    shipped: IpData, address: str, country: str, asn: int, org: str
) -> None:
    place = shipped.look_up(ip_address(address))
    assert (place.country, place.asn) == (country, asn)
    assert place.as_org.startswith(org)
    assert (place.city, place.latitude, place.company) == (None, None, None)


RESERVED_IPV4 = "10.0.0.1 192.168.1.1 127.0.0.1 100.64.0.1 169.254.1.1 192.0.2.1 0.0.0.0"
RESERVED_IPV6 = ":: ::1 fe80::1 fd00::1 2001:db8::1 ::ffff:10.0.0.1"


@pytest.mark.parametrize("address", [*RESERVED_IPV4.split(), *RESERVED_IPV6.split()])
def test_reserved_addresses_are_nowhere(tmp_path: Path, address: str) -> None:
    write(tmp_path / "all.mmdb", "Any", {"::/1": {"country_code": "DE"}})
    assert IpData.open(tmp_path, SHIPPED).look_up(ip_address(address)) == NOWHERE


# Every network that is set apart (RFC 6890 and what came after), and every first byte.
SET_APART = """
0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24
192.0.0.8/31 192.0.2.0/24 192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24
203.0.113.0/24 224.0.0.0/4 240.0.0.0/4 255.255.255.255/32 ::/127 64:ff9b:1::/48 100::/64
2001::/23 2001:db8::/32 2002::/16 3fff::/20 fc00::/7 fe80::/10 ff00::/8
"""
FIRST_BYTES = [f"{byte}.0.0.0/8" for byte in range(256)] + [f"{n:x}00::/8" for n in range(256)]


@pytest.mark.parametrize("network", [*SET_APART.split(), *FIRST_BYTES])
def test_an_address_is_global_where_the_standard_library_says_so(network: str) -> None:
    for address in (ip_network(network)[0], ip_network(network)[-1]):
        assert is_global(address) == address.is_global


@given(st.ip_addresses())
def test_any_address_is_global_where_the_standard_library_says_so(
    address: IPv4Address | IPv6Address,
) -> None:
    assert is_global(address) == address.is_global


def test_the_shipped_database_fits_and_says_what_it_is(shipped: IpData) -> None:
    assert (SHIPPED / "footfall.mmdb").stat().st_size < 15_000_000
    (source,) = shipped.sources
    assert source.database_type == "Footfall-Country-ASN"
    assert source.built == dt.datetime(2026, 6, 17, 19, tzinfo=dt.UTC)
    assert shipped.problems == ()


@given(st.ip_addresses())
def test_every_address_has_an_answer(shipped: IpData, address: IPv4Address | IPv6Address) -> None:
    place = shipped.look_up(address)
    assert place.country is None or len(place.country) == 2
    assert (place.asn is None) == (place.as_org is None)


def test_most_addresses_have_a_country_and_a_network(shipped: IpData) -> None:
    numbers = random.Random(1)
    routed = [IPv4Address(numbers.randrange(0x01000000, 0xDF000000)) for _ in range(2000)]
    places = [shipped.look_up(address) for address in routed if address.is_global]
    assert sum(place.country is not None for place in places) > 0.95 * len(places)
    assert sum(place.asn is not None for place in places) > 0.75 * len(places)


CITY = {
    "continent": {"code": "EU", "names": {"en": "Europe"}},
    "country": {"iso_code": "DE", "names": {"en": "Germany", "de": "Deutschland"}},
    "registered_country": {"iso_code": "US"},
    "subdivisions": [{"iso_code": "BE", "names": {"en": "Land Berlin"}}],
    "city": {"names": {"de": "Berlin", "en": "Berlin"}},
    "location": {"latitude": 52.5244, "longitude": 13.4105, "time_zone": "Europe/Berlin"},
}


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        pytest.param(
            CITY,
            Place(country="DE", region="Land Berlin", city="Berlin", latitude=52.5, longitude=13.4),
            id="MaxMind City and DB-IP City",
        ),
        pytest.param(
            {"registered_country": {"iso_code": "AU"}}, Place(country="AU"), id="registered only"
        ),
        pytest.param(
            {"autonomous_system_number": 15169, "autonomous_system_organization": "GOOGLE"},
            Place(asn=15169, as_org="GOOGLE"),
            id="MaxMind ASN",
        ),
        pytest.param(
            {
                "autonomous_system_number": 7922,
                "autonomous_system_organization": "COMCAST-7922",
                "isp": "Comcast Cable",
                "organization": "Acme Corp",
            },
            Place(asn=7922, as_org="COMCAST-7922", company="Acme Corp"),
            id="MaxMind ISP",
        ),
        pytest.param(
            {"connection_type": "Cable/DSL"},
            Place(connection_type="cable/dsl"),
            id="MaxMind Connection-Type",
        ),
        pytest.param({"domain": "acme.com"}, Place(company_domain="acme.com"), id="MaxMind Domain"),
        pytest.param(
            {
                "country": {"iso_code": "US"},
                "traits": {
                    "autonomous_system_number": 64,
                    "autonomous_system_organization": "MITRE",
                    "organization": "Acme",
                    "domain": "acme.com",
                    "connection_type": "Corporate",
                    "user_type": "business",
                },
            },
            Place(
                country="US",
                asn=64,
                as_org="MITRE",
                company="Acme",
                company_domain="acme.com",
                connection_type="business",
            ),
            id="MaxMind Enterprise and DB-IP ISP",
        ),
        pytest.param(
            {
                "country": "United States",
                "country_code": "US",
                "continent": "North America",
                "continent_code": "NA",
                "asn": "AS15169",
                "as_name": "Google LLC",
                "as_domain": "google.com",
            },
            Place(country="US", asn=15169, as_org="Google LLC", company_domain="google.com"),
            id="IPinfo Lite",
        ),
        pytest.param(
            {"country": "JP", "country_name": "Japan", "asn": "AS2519", "as_name": "ARTERIA"},
            Place(country="JP", asn=2519, as_org="ARTERIA"),
            id="IPinfo country and ASN",
        ),
        pytest.param(
            {
                "city": "Tokyo",
                "region": "Tokyo",
                "country": "JP",
                "lat": "35.6895",
                "lng": "139.69",
            },
            Place(country="JP", region="Tokyo", city="Tokyo", latitude=35.7, longitude=139.7),
            id="IPinfo location",
        ),
        pytest.param(
            {"asn": "AS15169", "name": "Google LLC", "domain": "google.com", "type": "hosting"},
            Place(
                asn=15169,
                as_org="Google LLC",
                company_domain="google.com",
                connection_type="hosting",
            ),
            id="IPinfo ASN",
        ),
        pytest.param(
            {
                "name": "Acme",
                "domain": "acme.com",
                "type": "business",
                "asn": "AS7922",
                "as_name": "Comcast",
                "as_domain": "comcast.net",
                "as_type": "isp",
            },
            Place(
                asn=7922,
                as_org="Comcast",
                company="Acme",
                company_domain="acme.com",
                connection_type="business",
            ),
            id="IPinfo company",
        ),
        pytest.param(
            {
                "geo": {
                    "city": "Paris",
                    "region": "Ile-de-France",
                    "country": "France",
                    "country_code": "FR",
                    "latitude": 48.8566,
                    "longitude": 2.3522,
                },
                "as": {"asn": "AS3215", "name": "Orange", "domain": "orange.fr", "type": "isp"},
            },
            Place(
                country="FR",
                region="Ile-de-France",
                city="Paris",
                latitude=48.9,
                longitude=2.4,
                asn=3215,
                as_org="Orange",
                company_domain="orange.fr",
                connection_type="isp",
            ),
            id="IPinfo Core and Plus",
        ),
        pytest.param(
            {
                "city": "Brisbane",
                "country_code": "AU",
                "latitude": -27.4679,
                "longitude": 153.0281,
                "state1": "Queensland",
            },
            Place(
                country="AU", region="Queensland", city="Brisbane", latitude=-27.5, longitude=153.0
            ),
            id="ip-location-db city",
        ),
        pytest.param({"country_code": "EU"}, NOWHERE, id="a continent is no country"),
        pytest.param({"country_code": "de "}, Place(country="DE"), id="lower case and blank"),
        pytest.param({"latitude": 52.5}, NOWHERE, id="half a coordinate"),
        pytest.param({"latitude": float("nan"), "longitude": 1.0}, NOWHERE, id="not a number"),
        pytest.param({"lat": "north", "lng": "1"}, NOWHERE, id="unreadable coordinate"),
        pytest.param({"autonomous_system_number": 4294967294}, NOWHERE, id="reserved number"),
        pytest.param({"asn": "AS"}, NOWHERE, id="empty number"),
        pytest.param("text", NOWHERE, id="no map"),
        pytest.param(None, NOWHERE, id="nothing"),
    ],
)
def test_records_are_read_by_shape(record: Any, expected: Place) -> None:
    assert place_of(record) == expected


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "country",
                    "city",
                    "location",
                    "latitude",
                    "longitude",
                    "traits",
                    "asn",
                    "as",
                    "subdivisions",
                    "names",
                    "en",
                    "company",
                    "name",
                    "as_name",
                    "geo",
                    "iso_code",
                ]
            )
            | st.text(max_size=5),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(json_like)
def test_no_record_is_too_odd_to_read(record: Any) -> None:
    place = place_of(record)
    assert place.latitude is None or -90 <= place.latitude <= 90
    assert (place.latitude is None) == (place.longitude is None)
    assert place.asn is None or 0 < place.asn < 2**31


def test_dropped_in_files_win_group_by_group(tmp_path: Path) -> None:
    write(tmp_path / "GeoLite2-City.mmdb", "GeoLite2-City", {"8.8.8.0/24": CITY})
    write(
        tmp_path / "Connection.mmdb",
        "GeoIP2-Connection-Type",
        {"8.8.8.0/24": {"connection_type": "Corporate"}},
    )
    data = IpData.open(tmp_path, SHIPPED)
    place = data.look_up(IPv4Address("8.8.8.8"))
    assert (place.country, place.city, place.latitude) == ("DE", "Berlin", 52.5)
    assert (place.asn, place.as_org) == (15169, "Google LLC")
    assert place.connection_type == "corporate"
    assert data.look_up(IPv4Address("1.1.1.1")).asn == 13335
    assert [s.path.name for s in data.sources][-1] == "footfall.mmdb"


def test_a_city_is_not_hidden_by_a_file_that_knows_countries_only(tmp_path: Path) -> None:
    write(tmp_path / "a-country.mmdb", "X-Country", {"8.8.8.0/24": {"country_code": "FR"}})
    write(tmp_path / "b-city.mmdb", "X-City", {"8.8.8.0/24": CITY})
    place = IpData.open(tmp_path).look_up(IPv4Address("8.8.8.8"))
    assert (place.country, place.city) == ("DE", "Berlin")


def test_a_file_for_ipv4_alone_leaves_ipv6_to_the_others(tmp_path: Path) -> None:
    write(tmp_path / "v4.mmdb", "X", {"8.8.8.0/24": {"country_code": "FR"}}, ip_version=4)
    data = IpData.open(tmp_path, SHIPPED)
    assert data.look_up(IPv4Address("8.8.8.8")).country == "FR"
    assert data.look_up(IPv6Address("2001:4860:4860::8888")).country == "US"


def test_a_missing_folder_is_an_empty_one(tmp_path: Path) -> None:
    data = IpData.open(tmp_path / "nowhere")
    assert (data.sources, data.problems) == ((), ())
    assert data.look_up(IPv4Address("8.8.8.8")) == NOWHERE


def test_a_file_that_is_no_database_is_a_problem_and_no_more(tmp_path: Path) -> None:
    (tmp_path / "broken.mmdb").write_bytes(b"not a database")
    (tmp_path / "empty.mmdb").touch()
    (tmp_path / "folder.mmdb").mkdir()
    data = IpData.open(tmp_path, SHIPPED)
    assert [p.path.name for p in data.problems] == ["broken.mmdb", "empty.mmdb", "folder.mmdb"]
    assert data.look_up(IPv4Address("8.8.8.8")).asn == 15169


def test_a_damaged_database_is_a_problem_without_the_address(tmp_path: Path) -> None:
    whole = (SHIPPED / "footfall.mmdb").read_bytes()
    marker = whole.rindex(b"\xab\xcd\xefMaxMind.com")
    tree = 9_000_000  # the data section lies behind it
    (tmp_path / "damaged.mmdb").write_bytes(
        whole[:tree] + b"\xff" * (marker - tree) + whole[marker:]
    )
    data = IpData.open(tmp_path)
    numbers = random.Random(2)
    for _ in range(500):
        data.look_up(IPv4Address(numbers.getrandbits(32)))
    (problem,) = data.problems
    assert problem.path.name == "damaged.mmdb"
    assert not any(character.isdigit() for character in problem.reason)


def test_a_database_may_be_overwritten_while_in_use(tmp_path: Path) -> None:
    path = tmp_path / "copy.mmdb"
    path.write_bytes((SHIPPED / "footfall.mmdb").read_bytes())
    data = IpData.open(tmp_path)
    path.write_bytes(b"")  # as `cp` does before it writes; a mapped file would now kill the process
    numbers = random.Random(3)
    places = [data.look_up(IPv4Address(numbers.getrandbits(32))) for _ in range(2000)]
    assert sum(place.country is not None for place in places) > 1000
