use openapi::apis::configuration::Configuration;
use openapi::apis::customers_api::{create_customer, get_customer, CreateCustomerError};
use openapi::apis::Error;
use openapi::models::customer::Status;
use openapi::models::{NewAddress, NewCustomer, NewPhoneNumber, NewPostCode};

fn email() -> String {
    format!("rust-{}@example.com", uuid::Uuid::new_v4())
}

fn new_customer(post_code: NewPostCode, phone_number: NewPhoneNumber) -> NewCustomer {
    let mut address = NewAddress::new(
        "East Lane".to_owned(),
        "San Francisco".to_owned(),
        "US".to_owned(),
        post_code,
    );
    address.state = Some("CA".to_owned());

    let mut customer = NewCustomer::new(email());
    customer.first_name = Some("Johny".to_owned());
    customer.middle_name = Some("Kanez".to_owned());
    customer.last_name = Some("Smith".to_owned());
    customer.address = Some(Box::new(address));
    customer.phone_number = Some(Box::new(phone_number));
    customer
}

async fn create_and_read(configuration: &Configuration, body: NewCustomer) {
    let created = create_customer(configuration, body.clone(), None, None).await.unwrap();
    let read = get_customer(configuration, created.id).await.unwrap();
    for customer in [&created, &read] {
        assert_eq!(customer.id, created.id);
        assert_eq!(customer.email, body.email);
        assert_eq!(customer.first_name.as_deref(), Some("Johny"));
        assert_eq!(customer.middle_name.as_deref(), Some("Kanez"));
        assert_eq!(customer.last_name.as_deref(), Some("Smith"));
        assert_eq!(customer.phone.as_deref(), Some("+18885118600"));
        assert_eq!(customer.company_name, None);
        assert_eq!(customer.token, None);
        assert_eq!(customer.deleted_at, None);
        assert_eq!(customer.status, Status::Active);
        assert_eq!(customer.is_company as i64, 0);
        assert!(customer.created_at.timestamp() > 0);
        let address = customer.address.as_ref().unwrap();
        assert_eq!(address.post_code, "10203");
        assert_eq!(address.line2, None);
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut configuration = Configuration::new();
    configuration.base_path = std::env::var("ESCROW_URL").unwrap();
    configuration.bearer_access_token = Some(std::env::var("ESCROW_KEY").unwrap());

    let numbers = new_customer(NewPostCode::Integer(10203), NewPhoneNumber::Integer(8885118600));
    create_and_read(&configuration, numbers.clone()).await;
    let strings = new_customer(
        NewPostCode::String("10203".to_owned()),
        NewPhoneNumber::String("+18885118600".to_owned()),
    );
    create_and_read(&configuration, strings).await;

    // Only the e-mail address is required, and there is no address to read then.
    let least = create_customer(&configuration, NewCustomer::new(email()), None, None).await.unwrap();
    assert_eq!(least.address, None);
    assert_eq!(least.phone, None);

    match create_customer(&configuration, numbers, None, None).await {
        Err(Error::ResponseError(refusal)) => {
            assert_eq!(refusal.status.as_u16(), 403);
            // Every problem has one shape, so that the first variant takes all of them.
            match refusal.entity {
                Some(CreateCustomerError::Status400(problem)) => {
                    assert_eq!(problem.code, "email_already_in_use")
                }
                other => panic!("not a problem: {other:?}"),
            }
        }
        other => panic!("the second customer with one e-mail address was not refused: {other:?}"),
    }
}
