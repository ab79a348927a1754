import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

type NewAddress = components["schemas"]["NewAddress"];
type NewCustomer = components["schemas"]["NewCustomer"];

function variable(name: string): string {
  const value = process.env[name];
  assert.ok(value, `${name} is not set`);
  return value;
}

const client = createClient<paths>({
  baseUrl: variable("ESCROW_URL"),
  headers: { Authorization: `Bearer ${variable("ESCROW_KEY")}` },
});

function newCustomer(postCode: NewAddress["post_code"], phoneNumber: NewCustomer["phone_number"]): NewCustomer {
  return {
    email: `typescript-${randomUUID()}@example.com`,
    first_name: "Johny",
    middle_name: "Kanez",
    last_name: "Smith",
    address: {
      line1: "East Lane",
      city: "San Francisco",
      state: "CA",
      country: "US",
      post_code: postCode,
    },
    phone_number: phoneNumber,
  };
}

async function createAndRead(body: NewCustomer): Promise<void> {
  const created = await client.POST("/partner/customers", { body });
  assert.ok(created.data, JSON.stringify(created.error));
  assert.equal(created.response.status, 201);

  const read = await client.GET("/partner/customer/{customer_id}", {
    params: { path: { customer_id: created.data.id } },
  });
  assert.ok(read.data, JSON.stringify(read.error));
  for (const customer of [created.data, read.data]) {
    assert.equal(customer.id, created.data.id);
    assert.equal(customer.email, body.email);
    assert.equal(customer.first_name, "Johny");
    assert.equal(customer.middle_name, "Kanez");
    assert.equal(customer.last_name, "Smith");
    assert.equal(customer.phone, "+18885118600");
    assert.equal(customer.company_name, null);
    assert.equal(customer.token, null);
    assert.equal(customer.deleted_at, null);
    assert.equal(customer.status, 1);
    assert.equal(customer.is_company, 0);
    assert.ok(!Number.isNaN(Date.parse(customer.created_at)));
    assert.ok(customer.address);
    assert.equal(customer.address.post_code, "10203");
    assert.equal(customer.address.line2, null);
  }
}

const numbers = newCustomer(10203, 8885118600);
await createAndRead(numbers);
await createAndRead(newCustomer("10203", "+18885118600"));

// Only the e-mail address is required, and there is no address to read then.
const least = await client.POST("/partner/customers", {
  body: { email: `typescript-${randomUUID()}@example.com` },
});
assert.ok(least.data, JSON.stringify(least.error));
assert.equal(least.data.address, null);
assert.equal(least.data.phone, null);

const again = await client.POST("/partner/customers", { body: numbers });
assert.equal(again.response.status, 403);
assert.equal(again.error?.code, "email_already_in_use");
