import datetime
import os
import uuid

from crypto_exchange_escrow_partner_api_client import AuthenticatedClient
from crypto_exchange_escrow_partner_api_client.api.customers import create_customer, get_customer
from crypto_exchange_escrow_partner_api_client.models import Customer, NewAddress, NewCustomer, Problem

client = AuthenticatedClient(base_url=os.environ["ESCROW_URL"], token=os.environ["ESCROW_KEY"])


def new_customer(post_code: int | str, phone_number: int | str) -> NewCustomer:
    return NewCustomer(
        email=f"python-{uuid.uuid4()}@example.com",
        first_name="Johny",
        middle_name="Kanez",
        last_name="Smith",
        address=NewAddress(
            line1="East Lane",
            city="San Francisco",
            state="CA",
            country="US",
            post_code=post_code,
        ),
        phone_number=phone_number,
    )


def create_and_read(body: NewCustomer) -> None:
    created = create_customer.sync_detailed(client=client, body=body)
    assert created.status_code == 201, created.content
    assert isinstance(created.parsed, Customer)

    read = get_customer.sync_detailed(created.parsed.id, client=client)
    assert read.status_code == 200, read.content
    assert isinstance(read.parsed, Customer)
    for customer in (created.parsed, read.parsed):
        assert customer.id == created.parsed.id
        assert customer.email == body.email
        assert customer.first_name == "Johny"
        assert customer.middle_name == "Kanez"
        assert customer.last_name == "Smith"
        assert customer.phone == "+18885118600"
        assert customer.company_name is None
        assert customer.token is None
        assert customer.deleted_at is None
        assert customer.status == 1
        assert customer.is_company == 0
        assert isinstance(customer.created_at, datetime.datetime)
        assert customer.address is not None
        assert customer.address.post_code == "10203"
        assert customer.address.line2 is None


numbers = new_customer(10203, 8885118600)
create_and_read(numbers)
create_and_read(new_customer("10203", "+18885118600"))

# Only the e-mail address is required, and there is no address to read then.
least = create_customer.sync(client=client, body=NewCustomer(email=f"python-{uuid.uuid4()}@example.com"))
assert isinstance(least, Customer), least
assert least.address is None
assert least.phone is None

again = create_customer.sync_detailed(client=client, body=numbers)
assert again.status_code == 403, again.content
assert isinstance(again.parsed, Problem)
assert again.parsed.code == "email_already_in_use"
