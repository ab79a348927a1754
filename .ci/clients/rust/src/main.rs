//! What a partner does with the client that openapi-generator generates.

use openapi::apis::configuration::Configuration;
use openapi::apis::customers_api::{create_customer, get_customer};
use openapi::apis::Error;
use openapi::models::{
    customer, disbursement_method, new_ach_method, new_crypto_wallet_method,
    new_wire_transfer_method, AchBankAddress, BeneficiaryAddress, Customer, NewAchMethod,
    NewAddress, NewCryptoWalletMethod, NewCustomer, NewDisbursementMethod, NewPhoneNumber,
    NewPostCode, NewWireTransferMethod, Problem, WireBankAddress,
};
use reqwest_middleware::reqwest::{Body, Client, Request, Response};
use reqwest_middleware::{ClientBuilder, Middleware, Next};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Sends each property once: the generated union says its `type`, and so does the
/// method in it (https://github.com/OpenAPITools/openapi-generator/issues/22018).
/// The service refuses a JSON object that names a property twice.
struct PropertiesOnce;

#[async_trait::async_trait]
impl Middleware for PropertiesOnce {
    async fn handle(
        &self,
        mut request: Request,
        extensions: &mut http::Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<Response> {
        if let Some(json) = request.body().and_then(Body::as_bytes) {
            let once: serde_json::Value = serde_json::from_slice(json)
                .map_err(reqwest_middleware::Error::middleware)?;
            *request.body_mut() = Some(once.to_string().into());
        }
        next.run(request, extensions).await
    }
}

fn email() -> String {
    format!("rust-{}@example.com", uuid::Uuid::new_v4())
}

fn johny(post_code: NewPostCode, phone_number: NewPhoneNumber) -> NewCustomer {
    let mut address =
        NewAddress::new("East Lane".into(), "San Francisco".into(), "US".into(), post_code);
    address.state = Some("CA".into());

    let mut customer = NewCustomer::new(email());
    customer.first_name = Some("Johny".into());
    customer.last_name = Some("Smith".into());
    customer.address = Some(Box::new(address));
    customer.phone_number = Some(Box::new(phone_number));
    customer
}

fn ach() -> NewAchMethod {
    NewAchMethod::new(
        new_ach_method::Type::Ach,
        "Johny Smith".into(),
        new_ach_method::AccountType::Checking,
        "021000021".into(),
        "000123456789".into(),
        "Bank of Coffee".into(),
        AchBankAddress::new("New York".into(), "NY".into()),
        new_ach_method::Currency::Usd,
    )
}

fn wire_transfer(iban: &str) -> NewWireTransferMethod {
    let mut method = NewWireTransferMethod::new(
        new_wire_transfer_method::Type::WireTransfer,
        "Johny Smith".into(),
        new_wire_transfer_method::Currency::Eur,
        "Deutsche Beispielbank".into(),
        WireBankAddress::new("Frankfurt am Main".into(), "DE".into()),
        BeneficiaryAddress::new("East Lane".into(), "San Francisco".into(), "US".into()),
    );
    method.bank_iban = Some(iban.into());
    method.bank_swift_code = Some("DEUTDEFF".into());
    method
}

fn crypto_wallet() -> NewCryptoWalletMethod {
    NewCryptoWalletMethod::new(
        new_crypto_wallet_method::Type::CryptoWallet,
        "BTC".into(),
        new_crypto_wallet_method::Network::Bitcoin,
        "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4".into(),
    )
}

async fn create(configuration: &Configuration, body: NewCustomer) -> Result<Customer> {
    let key = uuid::Uuid::new_v4().to_string();
    Ok(create_customer(configuration, body, Some(&key), None).await?)
}

/// The problem that a request was refused with. Every status has the same one.
fn refusal<T, E>(answer: std::result::Result<T, Error<E>>) -> Result<Problem> {
    match answer {
        Err(Error::ResponseError(refused)) => Ok(serde_json::from_str(&refused.content)?),
        Err(_) => Err("there is no answer".into()),
        Ok(_) => Err("it was not refused".into()),
    }
}

/// Says what is known of a customer; what is not is None.
fn describe(customer: &Customer) -> String {
    let name = match (&customer.first_name, &customer.last_name) {
        (Some(first), Some(last)) => format!("{first} {last}"),
        _ => "no name".into(),
    };
    let status = match customer.status {
        customer::Status::Active => "active",
        customer::Status::Suspended => "suspended",
        customer::Status::Closed => "closed",
    };
    let address = match &customer.address {
        Some(address) => format!("{} {}", address.post_code, address.city),
        None => "no address".into(),
    };
    let phone = customer.phone.as_deref().unwrap_or("no phone");
    format!("{name}, {status}, {address}, {phone}")
}

fn faults(problem: &Problem) -> String {
    let faults = problem.errors.iter().flatten();
    let found: Vec<String> = faults
        .map(|fault| format!("{} at {}", fault.code, fault.pointer.as_deref().unwrap_or("")))
        .collect();
    found.join(", ")
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let mut configuration = Configuration::new();
    configuration.client = ClientBuilder::new(Client::new()).with(PropertiesOnce).build();
    configuration.base_path = std::env::var("ESCROW_URL")?;
    configuration.bearer_access_token = Some(std::env::var("ESCROW_KEY")?);

    let numbers = johny(NewPostCode::Integer(10203), NewPhoneNumber::Integer(8885118600));
    let created = create(&configuration, numbers.clone()).await?;
    println!("create with numbers: {}", describe(&created));
    let strings = johny(
        NewPostCode::String("10203".into()),
        NewPhoneNumber::String("+18885118600".into()),
    );
    let customer = create(&configuration, strings).await?;
    println!("create with strings: {}", describe(&customer));
    let least = create(&configuration, NewCustomer::new(email())).await?;
    println!("create with the e-mail address only: {}", describe(&least));

    let taken = refusal(create_customer(&configuration, numbers, None, None).await)?;
    if taken.code == "email_already_in_use" && taken.customer_id == Some(created.id) {
        println!("create again: {} {}", taken.status, taken.code);
    }

    let got = get_customer(&configuration, created.id).await?;
    if got.id == created.id {
        println!("get: {}", describe(&got));
    }

    let mut body = NewCustomer::new(email());
    body.disbursement_methods = Some(vec![
        NewDisbursementMethod::Ach(Box::new(ach())),
        NewDisbursementMethod::WireTransfer(Box::new(wire_transfer("DE89 3704 0044 0532 0130 00"))),
        NewDisbursementMethod::CryptoWallet(Box::new(crypto_wallet())),
    ]);
    for method in create(&configuration, body).await?.disbursement_methods {
        match method.r#type {
            disbursement_method::Type::Ach => println!(
                "ach: account ending in {}",
                method.bank_account_number_last4.unwrap_or_default()
            ),
            disbursement_method::Type::WireTransfer => println!(
                "wire_transfer: IBAN ending in {}",
                method.bank_iban_last4.unwrap_or_default()
            ),
            disbursement_method::Type::CryptoWallet => println!(
                "crypto_wallet: address ending in {}",
                method.address_last4.unwrap_or_default()
            ),
        }
    }

    let nobody = NewCustomer::new("johny.smith@localhost".into());
    let invalid = refusal(create_customer(&configuration, nobody, None, None).await)?;
    println!("invalid: {} {}, {}", invalid.status, invalid.code, faults(&invalid));

    let mut nowhere = NewCustomer::new(email());
    nowhere.address = Some(Box::new(NewAddress::new(
        "East Lane".into(),
        "San Francisco".into(),
        "XX".into(),
        NewPostCode::String("10203".into()),
    )));
    let mistyped = wire_transfer("DE89 3704 0044 0532 0130 01");
    nowhere.disbursement_methods =
        Some(vec![NewDisbursementMethod::WireTransfer(Box::new(mistyped))]);
    let unacceptable = refusal(create_customer(&configuration, nowhere, None, None).await)?;
    println!(
        "unacceptable: {} {}, {}",
        unacceptable.status,
        unacceptable.code,
        faults(&unacceptable)
    );

    let unknown = refusal(get_customer(&configuration, i64::MAX).await)?;
    println!("unknown id: {} {}", unknown.status, unknown.code);
    Ok(())
}
