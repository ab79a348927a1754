"""What a partner does with the Python client that openapi-generator generates."""

import os
import uuid

from openapi_client import (
    AchBankAddress,
    ApiClient,
    ApiException,
    BeneficiaryAddress,
    Configuration,
    Customer,
    CustomersApi,
    NewAchMethod,
    NewAddress,
    NewCryptoWalletMethod,
    NewCustomer,
    NewDisbursementMethod,
    NewPhoneNumber,
    NewPostCode,
    NewWireTransferMethod,
    Problem,
    WireBankAddress,
)

configuration = Configuration(host=os.environ["ESCROW_URL"], access_token=os.environ["ESCROW_KEY"])
customers = CustomersApi(ApiClient(configuration))


def email() -> str:
    return f"python-{uuid.uuid4()}@example.com"


def johny(post_code: int | str, phone_number: int | str) -> NewCustomer:
    return NewCustomer(
        email=email(),
        first_name="Johny",
        last_name="Smith",
        address=NewAddress(
            line1="East Lane",
            city="San Francisco",
            state="CA",
            country="US",
            post_code=NewPostCode(post_code),
        ),
        phone_number=NewPhoneNumber(phone_number),
    )


def create(body: NewCustomer) -> Customer:
    return customers.create_customer(body, idempotency_key=str(uuid.uuid4()))


def refusal(body: NewCustomer) -> Problem:
    try:
        customers.create_customer(body)
    except ApiException as refused:
        assert isinstance(refused.data, Problem), refused
        return refused.data
    raise AssertionError("the customer was created")


def describe(customer: Customer) -> str:
    """Says what is known of a customer; what is not is None."""
    return ", ".join(
        (
            f"{customer.first_name} {customer.last_name}" if customer.first_name else "no name",
            {1: "active", 2: "suspended", 3: "closed"}[customer.status],
            f"{customer.address.post_code} {customer.address.city}" if customer.address else "no address",
            customer.phone or "no phone",
        )
    )


def faults(problem: Problem) -> str:
    return ", ".join(f"{fault.code} at {fault.pointer}" for fault in problem.errors or ())


numbers = johny(10203, 8885118600)
created = create(numbers)
print(f"create with numbers: {describe(created)}")
print(f"create with strings: {describe(create(johny('10203', '+18885118600')))}")
print(f"create with the e-mail address only: {describe(create(NewCustomer(email=email())))}")

taken = refusal(numbers)
if taken.code == "email_already_in_use" and taken.customer_id == created.id:
    print(f"create again: {taken.status} {taken.code}")

got = customers.get_customer(created.id)
if got.id == created.id:
    print(f"get: {describe(got)}")


def wire_transfer(iban: str) -> NewWireTransferMethod:
    return NewWireTransferMethod(
        type="wire_transfer",
        account_name="Johny Smith",
        currency="eur",
        bank_iban=iban,
        bank_swift_code="DEUTDEFF",
        bank_name="Deutsche Beispielbank",
        bank_address=WireBankAddress(city="Frankfurt am Main", country="DE"),
        beneficiary_address=BeneficiaryAddress(line1="East Lane", city="San Francisco", country="US"),
    )


ach = NewAchMethod(
    type="ach",
    account_name="Johny Smith",
    account_type="checking",
    bank_aba_routing_number="021000021",
    bank_account_number="000123456789",
    bank_name="Bank of Coffee",
    bank_address=AchBankAddress(city="New York", state="NY"),
    currency="usd",
)
crypto_wallet = NewCryptoWalletMethod(
    type="crypto_wallet",
    asset="BTC",
    network="bitcoin",
    address="bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
)
paid = create(
    NewCustomer(
        email=email(),
        disbursement_methods=[
            NewDisbursementMethod(ach),
            NewDisbursementMethod(wire_transfer("DE89 3704 0044 0532 0130 00")),
            NewDisbursementMethod(crypto_wallet),
        ],
    )
)
for method in paid.disbursement_methods:
    match method.type:
        case "ach":
            print(f"ach: account ending in {method.bank_account_number_last4}")
        case "wire_transfer":
            print(f"wire_transfer: IBAN ending in {method.bank_iban_last4}")
        case "crypto_wallet":
            print(f"crypto_wallet: address ending in {method.address_last4}")

invalid = refusal(NewCustomer(email="johny.smith@localhost"))
print(f"invalid: {invalid.status} {invalid.code}, {faults(invalid)}")

unacceptable = refusal(
    NewCustomer(
        email=email(),
        address=NewAddress(
            line1="East Lane", city="San Francisco", country="XX", post_code=NewPostCode("10203")
        ),
        disbursement_methods=[NewDisbursementMethod(wire_transfer("DE89 3704 0044 0532 0130 01"))],
    )
)
print(f"unacceptable: {unacceptable.status} {unacceptable.code}, {faults(unacceptable)}")

try:
    customers.get_customer(2**63 - 1)
except ApiException as refused:
    if isinstance(refused.data, Problem):
        print(f"unknown id: {refused.data.status} {refused.data.code}")
