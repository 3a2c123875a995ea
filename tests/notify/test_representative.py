"""Somebody is told in the applicant's place: the words say whose dossier it is."""

from __future__ import annotations

import pytest

from services.notify.storage.correspondence import Correspondences
from shared.catalogue.render import plain
from shared.kernel.text import sms_segments
from tests.notify.ledger import DOSSIER, Ledger, a_contact, received, the_catalogue

WHO = {"phone": "+84912345678", "email": "ba@example.vn", "representative": "Trần Văn Ba"}


@pytest.mark.parametrize(("language", "said"), [("vi", "ủy quyền"), ("en", "has authorised you")])
def test_who_is_told_and_of_whose_dossier(ledger: Ledger, language: str, said: str):
    ledger.hear(a_contact(language=language, **WHO), received())
    texts = {m.channel: m for m in ledger.messages()}
    mail, sms = texts["email"], texts["sms"]
    assert (mail.to, sms.to) == ("ba@example.vn", "+84912345678")
    greeting, about, _ = mail.body.split("\n\n", 2)
    assert "Trần Văn Ba" in greeting
    assert "Nguyễn Thị Sáu" not in greeting
    assert said in about
    assert "Nguyễn Thị Sáu" in about
    assert "{" not in mail.body
    assert sms_segments(sms.body).parts == sms.parts
    assert sms.body.isascii()
    with ledger.store.begin() as uow:
        kept = uow.get(Correspondences).get(DOSSIER).contact
    assert kept is not None
    assert kept.representative == "Trần Văn Ba"


def test_an_sms_says_it_where_it_costs_no_part(ledger: Ledger):
    rule = the_catalogue().telling_rule(received().received_at.date())
    ledger.hear(a_contact(**WHO), received())
    ledger.hear(a_contact("000.00.15.H20-220314-0002", name="Lê A", **WHO),
                received("000.00.15.H20-220314-0002"))  # fmt: skip
    for sms in (m for m in ledger.messages() if m.channel == "sms"):
        name = "Lê A" if sms.dossier.endswith("2") else "Nguyễn Thị Sáu"
        said = plain(rule.on_behalf["sms"].vi.replace("{name}", name))
        fits = sms_segments(f"{sms.body}. {said}").parts == sms.parts
        assert said in sms.body or not fits


def test_the_applicant_is_told_nothing_of_the_kind(ledger: Ledger):
    ledger.hear(a_contact(), received())
    assert all("ủy quyền" not in m.body and "thay" not in m.body for m in ledger.messages())
