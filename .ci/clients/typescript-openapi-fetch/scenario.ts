// What a partner does with the types that openapi-typescript generates, over openapi-fetch.
import { randomUUID } from "node:crypto";
import createClient from "openapi-fetch";
import type { components, paths } from "./client/api.js";

type Customer = components["schemas"]["Customer"];
type NewAddress = components["schemas"]["NewAddress"];
type NewCustomer = components["schemas"]["NewCustomer"];
type NewDisbursementMethod = components["schemas"]["NewDisbursementMethod"];
type NewWireTransferMethod = components["schemas"]["NewWireTransferMethod"];
type Problem = components["schemas"]["Problem"];

const client = createClient<paths>({
  baseUrl: process.env.ESCROW_URL,
  headers: { Authorization: `Bearer ${process.env.ESCROW_KEY}` },
});

const email = () => `typescript-${randomUUID()}@example.com`;

function johny(postCode: NewAddress["post_code"], phoneNumber: NewCustomer["phone_number"]): NewCustomer {
  return {
    email: email(),
    first_name: "Johny",
    last_name: "Smith",
    address: { line1: "East Lane", city: "San Francisco", state: "CA", country: "US", post_code: postCode },
    phone_number: phoneNumber,
  };
}

async function create(body: NewCustomer): Promise<Customer> {
  const { data, error } = await client.POST("/partner/customers", {
    params: { header: { "Idempotency-Key": randomUUID() } },
    body,
  });
  if (error) throw new Error(`${error.code}: ${error.detail}`);
  return data;
}

async function refusal(body: NewCustomer): Promise<Problem> {
  const { error } = await client.POST("/partner/customers", { body });
  if (!error) throw new Error("the customer was created");
  return error;
}

// Says what is known of a customer; what is not is null.
function describe({ first_name, last_name, status, address, phone }: Customer): string {
  return [
    first_name ? `${first_name} ${last_name}` : "no name",
    { 1: "active", 2: "suspended", 3: "closed" }[status],
    address ? `${address.post_code} ${address.city}` : "no address",
    phone ?? "no phone",
  ].join(", ");
}

const faults = ({ errors }: Problem) => errors?.map(({ code, pointer }) => `${code} at ${pointer}`).join(", ");

const numbers = johny(10203, 8885118600);
const created = await create(numbers);
console.log(`create with numbers: ${describe(created)}`);
console.log(`create with strings: ${describe(await create(johny("10203", "+18885118600")))}`);
console.log(`create with the e-mail address only: ${describe(await create({ email: email() }))}`);

const taken = await refusal(numbers);
if (taken.code === "email_already_in_use" && taken.customer_id === created.id) {
  console.log(`create again: ${taken.status} ${taken.code}`);
}

const got = await client.GET("/partner/customer/{customer_id}", { params: { path: { customer_id: created.id } } });
if (got.data?.id === created.id) console.log(`get: ${describe(got.data)}`);

const wireTransfer: NewWireTransferMethod = {
  type: "wire_transfer",
  account_name: "Johny Smith",
  currency: "eur",
  bank_iban: "DE89 3704 0044 0532 0130 00",
  bank_swift_code: "DEUTDEFF",
  bank_name: "Deutsche Beispielbank",
  bank_address: { city: "Frankfurt am Main", country: "DE" },
  beneficiary_address: { line1: "East Lane", city: "San Francisco", country: "US" },
};
const methods: NewDisbursementMethod[] = [
  {
    type: "ach",
    account_name: "Johny Smith",
    account_type: "checking",
    bank_aba_routing_number: "021000021",
    bank_account_number: "000123456789",
    bank_name: "Bank of Coffee",
    bank_address: { city: "New York", state: "NY" },
    currency: "usd",
  },
  wireTransfer,
  {
    type: "crypto_wallet",
    asset: "BTC",
    network: "bitcoin",
    address: "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
  },
];
for (const method of (await create({ email: email(), disbursement_methods: methods })).disbursement_methods) {
  switch (method.type) {
    case "ach":
      console.log(`ach: account ending in ${method.bank_account_number_last4}`);
      break;
    case "wire_transfer":
      console.log(`wire_transfer: IBAN ending in ${method.bank_iban_last4}`);
      break;
    case "crypto_wallet":
      console.log(`crypto_wallet: address ending in ${method.address_last4}`);
      break;
  }
}

const invalid = await refusal({ email: "johny.smith@localhost" });
console.log(`invalid: ${invalid.status} ${invalid.code}, ${faults(invalid)}`);

const unacceptable = await refusal({
  email: email(),
  address: { line1: "East Lane", city: "San Francisco", country: "XX", post_code: "10203" },
  disbursement_methods: [{ ...wireTransfer, bank_iban: "DE89 3704 0044 0532 0130 01" }],
});
console.log(`unacceptable: ${unacceptable.status} ${unacceptable.code}, ${faults(unacceptable)}`);

const unknown = await client.GET("/partner/customer/{customer_id}", {
  params: { path: { customer_id: Number.MAX_SAFE_INTEGER } },
});
console.log(`unknown id: ${unknown.error?.status} ${unknown.error?.code}`);
