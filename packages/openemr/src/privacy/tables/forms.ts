import type { TableColumns } from "../columnKinds.ts";

/** Forms of encounters: one row for each time that a form was filled in. */
export const formTables = {
  form_aftercare_plan: {
    ids: { form: "id", patient: "pid", login: "user" },
    names: "provider client_name",
    dates: "date admit_date discharged",
    freeText: `
      goal_a_acute_intoxication goal_a_acute_intoxication_I goal_a_acute_intoxication_II
      goal_b_emotional_behavioral_conditions goal_b_emotional_behavioral_conditions_I goal_c_relapse_potential
      goal_c_relapse_potential_I
    `,
    none: "groupname authorized activity",
  },
  form_ankleinjury: {
    ids: { form: "id", patient: "pid", login: "user" },
    dates: "date ankle_date_of_injuary",
    freeText: `
      ankle_work_related ankle_foot ankle_severity_of_pain ankle_significant_swelling ankle_onset_of_swelling
      ankle_how_did_injury_occur ankle_ottawa_bone_tenderness ankle_able_to_bear_weight_steps
      ankle_x_ray_interpretation ankle_additional_x_ray_notes ankle_diagnosis1 ankle_diagnosis2 ankle_diagnosis3
      ankle_diagnosis4 ankle_plan ankle_additional_diagnisis
    `,
    none: "groupname authorized activity",
  },
  form_bronchitis: {
    ids: { form: "id", patient: "pid", login: "user" },
    dates: "date bronchitis_date_of_illness",
    freeText: `
      bronchitis_hpi bronchitis_ops_fever bronchitis_ops_cough bronchitis_ops_dizziness bronchitis_ops_chest_pain
      bronchitis_ops_dyspnea bronchitis_ops_sweating bronchitis_ops_wheezing bronchitis_ops_malaise
      bronchitis_ops_sputum bronchitis_ops_appearance bronchitis_ops_all_reviewed bronchitis_review_of_pmh
      bronchitis_review_of_medications bronchitis_review_of_allergies bronchitis_review_of_sh
      bronchitis_review_of_fh bronchitis_tms_normal_right bronchitis_tms_normal_left bronchitis_nares_normal_right
      bronchitis_nares_normal_left bronchitis_tms_thickened_right bronchitis_tms_thickened_left
      bronchitis_tms_af_level_right bronchitis_tms_af_level_left bronchitis_nares_swelling_right
      bronchitis_nares_swelling_left bronchitis_tms_retracted_right bronchitis_tms_retracted_left
      bronchitis_nares_discharge_right bronchitis_nares_discharge_left bronchitis_tms_bulging_right
      bronchitis_tms_bulging_left bronchitis_tms_perforated_right bronchitis_tms_perforated_left
      bronchitis_tms_nares_not_examined bronchitis_no_sinus_tenderness bronchitis_oropharynx_normal
      bronchitis_sinus_tenderness_frontal_right bronchitis_sinus_tenderness_frontal_left
      bronchitis_oropharynx_erythema bronchitis_oropharynx_exudate bronchitis_oropharynx_abcess
      bronchitis_oropharynx_ulcers bronchitis_sinus_tenderness_maxillary_right
      bronchitis_sinus_tenderness_maxillary_left bronchitis_oropharynx_appearance
      bronchitis_sinus_tenderness_not_examined bronchitis_oropharynx_not_examined bronchitis_heart_pmi
      bronchitis_heart_s3 bronchitis_heart_s4 bronchitis_heart_click bronchitis_heart_rub bronchitis_heart_murmur
      bronchitis_heart_grade bronchitis_heart_location bronchitis_heart_normal bronchitis_heart_not_examined
      bronchitis_lungs_bs_normal bronchitis_lungs_bs_reduced bronchitis_lungs_bs_increased
      bronchitis_lungs_crackles_lll bronchitis_lungs_crackles_rll bronchitis_lungs_crackles_bll
      bronchitis_lungs_rubs_lll bronchitis_lungs_rubs_rll bronchitis_lungs_rubs_bll bronchitis_lungs_wheezes_lll
      bronchitis_lungs_wheezes_rll bronchitis_lungs_wheezes_bll bronchitis_lungs_wheezes_dll
      bronchitis_lungs_normal_exam bronchitis_lungs_not_examined bronchitis_diagnostic_tests
      diagnosis1_bronchitis_form diagnosis2_bronchitis_form diagnosis3_bronchitis_form diagnosis4_bronchitis_form
      bronchitis_additional_diagnosis bronchitis_treatment
    `,
    none: "groupname authorized activity",
  },
  form_CAMOS: {
    ids: { form: "id", patient: "pid", login: "user" },
    dates: "date",
    freeText: "category subcategory item content",
    none: "groupname authorized activity",
  },
  form_CAMOS_category: {
    ids: { "CAMOS category": "id", patient: "pid", login: "user" },
    dates: "date",
    freeText: "category",
    none: "groupname authorized activity",
  },
  form_CAMOS_item: {
    ids: { form: "id", patient: "pid", login: "user", "CAMOS subcategory": "subcategory_id" },
    dates: "date",
    freeText: "item content",
    none: "groupname authorized activity",
  },
  form_CAMOS_subcategory: {
    ids: { "CAMOS subcategory": "id", patient: "pid", login: "user", "CAMOS category": "category_id" },
    dates: "date",
    freeText: "subcategory",
    none: "groupname authorized activity",
  },
  form_care_plan: {
    ids: { form: "id", patient: "pid", encounter: "encounter", login: "user" },
    dates: "date date_end reason_date_low reason_date_high proposed_date",
    otherUnique: "external_id",
    freeText: "codetext description note_related_to reason_description",
    none: "groupname authorized activity code care_plan_type reason_code reason_status plan_status",
  },
  form_clinic_note: {
    ids: { form: "id" },
    freeText: "history examination plan followup_timing",
    none: "activity followup_required",
  },
  form_clinical_instructions: {
    ids: { form: "id", patient: "pid", encounter: "encounter", login: "user" },
    dates: "date",
    freeText: "instruction",
    none: "activity",
  },
  form_clinical_notes: {
    ids: { form: "id form_id", uuid: "uuid", patient: "pid", encounter: "encounter", login: "user" },
    dates: "date last_updated",
    otherUnique: "external_id",
    freeText: "codetext description note_related_to",
    none: "groupname authorized activity code clinical_notes_type clinical_notes_category",
  },
  form_dictation: {
    ids: { form: "id", patient: "pid", login: "user" },
    dates: "date",
    freeText: "dictation additional_notes",
    none: "groupname authorized activity",
  },
  form_encounter: {
    ids: {
      form: "id",
      uuid: "uuid",
      facility: "facility_id billing_facility",
      patient: "pid",
      encounter: "encounter parent_encounter_id",
      user: "provider_id supervisor_id referring_provider_id ordering_provider_id",
    },
    names: "facility",
    dates: "date onset_date last_stmt_date date_end last_update",
    account: "invoice_refno voucher_number",
    otherUnique: "external_id",
    freeText: "reason billing_note referral_source",
    none: `
      sensitivity pc_catid last_level_billed last_level_closed stmt_count pos_code class_code shift
      discharge_disposition encounter_type_code encounter_type_description in_collection
    `,
  },
  form_eye_acuity: {
    ids: { form: "id", patient: "pid" },
    freeText: "GLARECOMMENTS",
    measured: `
      SCODVA SCOSVA PHODVA PHOSVA CTLODVA CTLOSVA MRODVA MROSVA SCNEARODVA SCNEAROSVA MRNEARODVA MRNEAROSVA
      GLAREODVA GLAREOSVA ARODVA AROSVA CRODVA CROSVA CTLODVA1 CTLOSVA1 PAMODVA PAMOSVA LIODVA LIOSVA WODVANEAR
      OSVANEARCC BINOCVA
    `,
  },
  form_eye_antseg: {
    ids: { form: "id", patient: "pid" },
    freeText: `
      OSCONJ ODCONJ ODCORNEA OSCORNEA ODAC OSAC ODLENS OSLENS ODIRIS OSIRIS PUPIL_COMMENTS ANTSEG_COMMENTS
    `,
    measured: `
      ODSCHIRMER1 OSSCHIRMER1 ODSCHIRMER2 OSSCHIRMER2 ODTBUT OSTBUT PUPIL_NORMAL ODPUPILSIZE1 ODPUPILSIZE2
      ODPUPILREACTIVITY ODAPD OSPUPILSIZE1 OSPUPILSIZE2 OSPUPILREACTIVITY OSAPD DIMODPUPILSIZE1 DIMODPUPILSIZE2
      DIMODPUPILREACTIVITY DIMOSPUPILSIZE1 DIMOSPUPILSIZE2 DIMOSPUPILREACTIVITY ODKTHICKNESS OSKTHICKNESS ODGONIO
      OSGONIO
    `,
  },
  form_eye_base: {
    ids: { form: "id", patient: "pid", login: "user" },
    dates: "date",
    none: "groupname authorized activity",
  },
  form_eye_biometrics: {
    ids: { form: "id", patient: "pid" },
    measured: `
      ODK1 ODK2 ODK2AXIS OSK1 OSK2 OSK2AXIS ODAXIALLENGTH OSAXIALLENGTH ODPDMeasured OSPDMeasured ODACD OSACD
      ODW2W OSW2W ODLT OSLT
    `,
  },
  form_eye_external: {
    ids: { form: "id", patient: "pid" },
    freeText: `
      RUL LUL RLL LLL RBROW LBROW RMCT LMCT RADNEXA LADNEXA RCAROTID LCAROTID RTEMPART LTEMPART RCNV LCNV RCNVII
      LCNVII EXT_COMMENTS
    `,
    measured: "RMRD LMRD RLF LLF RVFISSURE LVFISSURE ODHERTEL OSHERTEL HERTELBASE",
  },
  form_eye_hpi: {
    ids: { form: "id", patient: "pid" },
    freeText: `
      CC1 HPI1 QUALITY1 TIMING1 DURATION1 CONTEXT1 SEVERITY1 MODIFY1 ASSOCIATED1 LOCATION1 CHRONIC1 CHRONIC2
      CHRONIC3 CC2 HPI2 QUALITY2 TIMING2 DURATION2 CONTEXT2 SEVERITY2 MODIFY2 ASSOCIATED2 LOCATION2 CC3 HPI3
      QUALITY3 TIMING3 DURATION3 CONTEXT3 SEVERITY3 MODIFY3 ASSOCIATED3 LOCATION3
    `,
  },
  form_eye_locking: {
    ids: { form: "id", patient: "pid" },
    names: "Resource Technician LOCKEDBY",
    dates: "LOCKEDDATE",
    freeText: "IMP PLAN",
    none: "LOCKED",
  },
  form_eye_mag_dispense: {
    ids: { form: "id", encounter: "encounter", patient: "pid", login: "user" },
    dates: "date REFDATE",
    freeText: "RXCOMMENTS COMMENTS",
    measured: `
      REFTYPE RXTYPE ODSPH ODCYL ODAXIS OSSPH OSCYL OSAXIS ODMIDADD OSMIDADD ODADD OSADD ODHPD ODHBASE ODVPD
      ODVBASE ODSLABOFF ODVERTEXDIST OSHPD OSHBASE OSVPD OSVBASE OSSLABOFF OSVERTEXDIST ODMPDD ODMPDN OSMPDD
      OSMPDN BPDD BPDN LENS_MATERIAL ODDIAM ODBC OSDIAM OSBC
    `,
    none: `
      groupname authorized activity LENS_TREATMENTS CTLMANUFACTUREROD CTLMANUFACTUREROS CTLSUPPLIEROD
      CTLSUPPLIEROS CTLBRANDOD CTLBRANDOS CTLODQUANTITY CTLOSQUANTITY
    `,
  },
  form_eye_mag_impplan: {
    ids: { form: "id form_id", patient: "pid" },
    freeText: "title codedesc codetext plan",
    none: "code codetype PMSFH_link IMPPLAN_order",
  },
  form_eye_mag_orders: {
    ids: { form: "id form_id", patient: "pid" },
    names: "ORDER_PLACED_BYWHOM ORDER_COMPLETED_BYWHOM",
    dates: "ORDER_DATE_PLACED ORDER_DATE_COMPLETED",
    freeText: "ORDER_DETAILS",
    none: "ORDER_STATUS ORDER_PRIORITY",
  },
  form_eye_mag_wearing: {
    ids: { form: "id FORM_ID", encounter: "ENCOUNTER", patient: "PID" },
    freeText: "COMMENTS",
    measured: `
      ODSPH ODCYL ODAXIS OSSPH OSCYL OSAXIS ODMIDADD OSMIDADD ODADD OSADD ODVA OSVA ODNEARVA OSNEARVA ODHPD
      ODHBASE ODVPD ODVBASE ODSLABOFF ODVERTEXDIST OSHPD OSHBASE OSVPD OSVBASE OSSLABOFF OSVERTEXDIST ODMPDD
      ODMPDN OSMPDD OSMPDN BPDD BPDN LENS_MATERIAL LENS_TREATMENTS
    `,
    none: "RX_NUMBER RX_TYPE",
  },
  form_eye_neuro: {
    ids: { form: "id", patient: "pid" },
    freeText: `
      ACT5CCDIST ACT1CCDIST ACT2CCDIST ACT3CCDIST ACT4CCDIST ACT6CCDIST ACT7CCDIST ACT8CCDIST ACT9CCDIST
      ACT10CCDIST ACT11CCDIST ACT1SCDIST ACT2SCDIST ACT3SCDIST ACT4SCDIST ACT5SCDIST ACT6SCDIST ACT7SCDIST
      ACT8SCDIST ACT9SCDIST ACT10SCDIST ACT11SCDIST ACT1SCNEAR ACT2SCNEAR ACT3SCNEAR ACT4SCNEAR ACT5CCNEAR
      ACT6CCNEAR ACT7CCNEAR ACT8CCNEAR ACT9CCNEAR ACT10CCNEAR ACT11CCNEAR ACT5SCNEAR ACT6SCNEAR ACT7SCNEAR
      ACT8SCNEAR ACT9SCNEAR ACT10SCNEAR ACT11SCNEAR ACT1CCNEAR ACT2CCNEAR ACT3CCNEAR ACT4CCNEAR NEURO_COMMENTS
      ODNPA OSNPA VERTFUSAMPS DIVERGENCEAMPS ODCOLOR OSCOLOR ODCOINS OSCOINS
    `,
    measured: `
      ACT MOTILITYNORMAL MOTILITY_RS MOTILITY_RI MOTILITY_RR MOTILITY_RL MOTILITY_LS MOTILITY_LI MOTILITY_LR
      MOTILITY_LL STEREOPSIS NPC DACCDIST DACCNEAR CACCDIST CACCNEAR ODREDDESAT OSREDDESAT
    `,
    none: `
      MOTILITY_RRSO MOTILITY_RLSO MOTILITY_RRIO MOTILITY_RLIO MOTILITY_LRSO MOTILITY_LLSO MOTILITY_LRIO
      MOTILITY_LLIO
    `,
  },
  form_eye_postseg: {
    ids: { form: "id", patient: "pid" },
    freeText: `
      ODDISC OSDISC ODCUP OSCUP ODMACULA OSMACULA ODVESSELS OSVESSELS ODVITREOUS OSVITREOUS ODPERIPH OSPERIPH
      ODCMT OSCMT RETINA_COMMENTS DIL_MEDS
    `,
    measured: "DIL_RISKS WETTYPE ATROPINE CYCLOMYDRIL TROPICAMIDE CYCLOGYL NEO25",
  },
  form_eye_refraction: {
    ids: { form: "id", patient: "pid" },
    freeText: "CRCOMMENTS CTL_COMMENTS",
    measured: `
      MRODSPH MRODCYL MRODAXIS MRODPRISM MRODBASE MRODADD MROSSPH MROSCYL MROSAXIS MROSPRISM MROSBASE MROSADD
      MRODNEARSPHERE MRODNEARCYL MRODNEARAXIS MRODPRISMNEAR MRODBASENEAR MROSNEARSHPERE MROSNEARCYL MROSNEARAXIS
      MROSPRISMNEAR MROSBASENEAR CRODSPH CRODCYL CRODAXIS CROSSPH CROSCYL CROSAXIS BALANCED ARODSPH ARODCYL
      ARODAXIS AROSSPH AROSCYL AROSAXIS ARODADD AROSADD ARNEARODVA ARNEAROSVA ARODPRISM AROSPRISM CTLODSPH
      CTLODCYL CTLODAXIS CTLODBC CTLODDIAM CTLOSSPH CTLOSCYL CTLOSAXIS CTLOSBC CTLOSDIAM CTLMANUFACTUREROD
      CTLSUPPLIEROD CTLBRANDOD CTLMANUFACTUREROS CTLSUPPLIEROS CTLBRANDOS CTLODADD CTLOSADD NVOCHECKED ADDCHECKED
    `,
  },
  form_eye_ros: {
    ids: { form: "id", patient: "pid" },
    freeText: `
      ROSGENERAL ROSHEENT ROSCV ROSPULM ROSGI ROSGU ROSDERM ROSNEURO ROSPSYCH ROSMUSCULO ROSIMMUNO ROSENDOCRINE
      ROSCOMMENTS
    `,
  },
  form_eye_vitals: {
    ids: { form: "id", patient: "pid" },
    dates: "IOPTIME IOPPOSTTIME",
    measured: `
      alert oriented confused ODIOPAP OSIOPAP ODIOPTPN OSIOPTPN ODIOPFTN OSIOPFTN ODIOPPOST OSIOPPOST ODIOPTARGET
      OSIOPTARGET
    `,
    none: "AMSLEROD AMSLEROS ODVF1 ODVF2 ODVF3 ODVF4 OSVF1 OSVF2 OSVF3 OSVF4",
  },
  form_functional_cognitive_status: {
    ids: { form: "id", patient: "pid", encounter: "encounter", login: "user" },
    dates: "date",
    otherUnique: "external_id",
    freeText: "codetext description",
    none: "groupname authorized activity code",
  },
  form_gad7: {
    ids: { form: "id", patient: "pid", login: "user" },
    dates: "date",
    freeText: `
      nervous_score nervous_extra_info control_worry_score control_worry_extra_info worry_score worry_extra_info
      relax_score relax_extra_info restless_score restless_extra_info irritable_score irritable_extra_info
      fear_score fear_extra_info difficulty difficulty_extra_info
    `,
    none: "groupname authorized activity",
  },
  form_group_attendance: {
    ids: { form: "id", "therapy group": "group_id", login: "user", encounter: "encounter_id" },
    dates: "date",
    none: "groupname authorized activity",
  },
  form_groups_encounter: {
    ids: {
      form: "id",
      facility: "facility_id billing_facility",
      "therapy group": "group_id",
      encounter: "encounter",
      user: "provider_id supervisor_id",
      appointment: "appt_id",
    },
    names: "facility counselors",
    dates: "date onset_date last_stmt_date",
    account: "invoice_refno",
    otherUnique: "external_id",
    freeText: "reason billing_note referral_source",
    none: "sensitivity pc_catid last_level_billed last_level_closed stmt_count pos_code",
  },
  form_history_sdoh: {
    ids: { form: "id", uuid: "uuid", patient: "pid", encounter: "encounter", user: "created_by updated_by" },
    names: "assessor",
    dates: "created_at updated_at assessment_date pregnancy_edd postpartum_end",
    freeText: `
      food_insecurity_notes housing_instability_notes transportation_insecurity_notes utilities_insecurity_notes
      interpersonal_safety_notes financial_strain_notes social_isolation_notes childcare_needs_notes
      digital_access_notes goals interventions disability_status_notes disability_scale
    `,
    none: `
      screening_tool food_insecurity housing_instability transportation_insecurity utilities_insecurity
      interpersonal_safety financial_strain social_isolation childcare_needs digital_access employment_status
      education_level caregiver_status veteran_status pregnancy_status pregnancy_intent postpartum_status
      instrument_score positive_domain_count declined_flag disability_status hunger_q1 hunger_q2 hunger_score
    `,
  },
  form_history_sdoh_health_concerns: {
    ids: { form: "id sdoh_history_id", issue: "health_concern_id", user: "created_by" },
    dates: "created_at",
  },
  form_misc_billing_options: {
    ids: { form: "id", patient: "pid", login: "user", user: "provider_id", encounter: "encounter" },
    dates: `
      date onset_date date_initial_treatment off_work_from off_work_to hospitalization_date_from
      hospitalization_date_to
    `,
    account: "medicaid_original_reference prior_auth_number icn_resubmission_number",
    freeText: "comments",
    none: `
      groupname authorized activity employment_related auto_accident accident_state other_accident
      medicaid_referral_code epsdt_flag provider_qualifier_code outside_lab lab_amount is_unable_to_work
      is_hospitalized medicaid_resubmission_code replacement_claim box_14_date_qual box_15_date_qual
    `,
  },
  form_note: {
    ids: { form: "id", patient: "pid", login: "user" },
    names: "doctor",
    dates: "date date_of_signature",
    freeText: "message",
    none: "groupname authorized activity note_type",
  },
  form_observation: {
    ids: {
      form: "id form_id parent_observation_id",
      uuid: "uuid",
      patient: "pid",
      encounter: "encounter",
      login: "user",
      "questionnaire response": "questionnaire_response_id",
    },
    dates: "date date_end",
    otherUnique: "ob_documentationof_table_id",
    freeText: "observation ob_value ob_unit description ob_reason_text",
    none: `
      groupname authorized activity code code_type table_code ob_code ob_type ob_status result_status
      ob_reason_status ob_reason_code ob_documentationof_table category ob_value_code_description
    `,
  },
  form_painmap: {
    ids: { form: "id", patient: "pid", login: "user" },
    dates: "date",
    freeText: "data",
    none: "groupname authorized activity",
  },
  form_phq9: {
    ids: { form: "id", patient: "pid", login: "user" },
    dates: "date",
    freeText: `
      interest_score interest_extra_info hopeless_score hopeless_extra_info sleep_score sleep_extra_info
      fatigue_score fatigue_extra_info appetite_score appetite_extra_info failure_score failure_extra_info
      focus_score focus_extra_info psychomotor_score psychomotor_extra_info suicide_score suicide_extra_info
      difficulty difficulty_extra_info
    `,
    none: "groupname authorized activity",
  },
  form_physical_exam: {
    ids: { form: "forms_id" },
    freeText: "diagnosis comments",
    none: "line_id wnl abn",
  },
  form_prior_auth: {
    ids: { form: "id", patient: "pid" },
    dates: "date date_from date_to",
    account: "prior_auth_number",
    freeText: "comments",
    none: "activity",
  },
  form_questionnaire_assessments: {
    ids: { form: "id", patient: "pid", login: "user" },
    dates: "date",
    otherUnique: "response_id",
    freeText: "response_meta questionnaire_response lform_response",
    none: "groupname authorized activity copyright form_name questionnaire_id questionnaire lform category",
  },
  form_reviewofs: {
    ids: { form: "id", patient: "pid", login: "user" },
    dates: "date",
    freeText: "additional_notes",
    none: `
      groupname authorized activity fever chills night_sweats weight_loss poor_appetite insomnia fatigued
      depressed hyperactive exposure_to_foreign_countries cataracts cataract_surgery glaucoma double_vision
      blurred_vision poor_hearing headaches ringing_in_ears bloody_nose sinusitis sinus_surgery dry_mouth
      strep_throat tonsillectomy swollen_lymph_nodes throat_cancer throat_cancer_surgery heart_attack
      irregular_heart_beat chest_pains shortness_of_breath high_blood_pressure heart_failure poor_circulation
      vascular_surgery cardiac_catheterization coronary_artery_bypass heart_transplant stress_test emphysema
      chronic_bronchitis interstitial_lung_disease shortness_of_breath_2 lung_cancer lung_cancer_surgery
      pheumothorax stomach_pains peptic_ulcer_disease gastritis endoscopy polyps colonoscopy colon_cancer
      colon_cancer_surgery ulcerative_colitis crohns_disease appendectomy divirticulitis divirticulitis_surgery
      gall_stones cholecystectomy hepatitis cirrhosis_of_the_liver splenectomy kidney_failure kidney_stones
      kidney_cancer kidney_infections bladder_infections bladder_cancer prostate_problems prostate_cancer
      kidney_transplant sexually_transmitted_disease burning_with_urination discharge_from_urethra rashes
      infections ulcerations pemphigus herpes osetoarthritis rheumotoid_arthritis lupus ankylosing_sondlilitis
      swollen_joints stiff_joints broken_bones neck_problems back_problems back_surgery scoliosis herniated_disc
      shoulder_problems elbow_problems wrist_problems hand_problems hip_problems knee_problems ankle_problems
      foot_problems insulin_dependent_diabetes noninsulin_dependent_diabetes hypothyroidism hyperthyroidism
      cushing_syndrom addison_syndrom
    `,
  },
  form_ros: {
    ids: { form: "id", patient: "pid" },
    dates: "date",
    freeText: "p_diagnosis",
    none: `
      activity weight_change weakness fatigue anorexia fever chills night_sweats insomnia irritability
      heat_or_cold intolerance change_in_vision glaucoma_history eye_pain irritation redness excessive_tearing
      double_vision blind_spots photophobia hearing_loss discharge pain vertigo tinnitus frequent_colds
      sore_throat sinus_problems post_nasal_drip nosebleed snoring apnea breast_mass breast_discharge biopsy
      abnormal_mammogram cough sputum shortness_of_breath wheezing hemoptsyis asthma copd chest_pain palpitation
      syncope pnd doe orthopnea peripheal edema legpain_cramping history_murmur arrythmia heart_problem dysphagia
      heartburn bloating belching flatulence nausea vomiting hematemesis gastro_pain food_intolerance hepatitis
      jaundice hematochezia changed_bowel diarrhea constipation polyuria polydypsia dysuria hematuria frequency
      urgency incontinence renal_stones utis hesitancy dribbling stream nocturia erections ejaculations g p ap lc
      mearche menopause lmp f_frequency f_flow f_symptoms abnormal_hair_growth f_hirsutism joint_pain swelling
      m_redness m_warm m_stiffness muscle m_aches fms arthritis loc seizures stroke tia n_numbness n_weakness
      paralysis intellectual_decline memory_problems dementia n_headache s_cancer psoriasis s_acne s_other
      s_disease p_medication depression anxiety social_difficulties thyroid_problems diabetes abnormal_blood
      anemia fh_blood_problems bleeding_problems allergies frequent_illness hiv hai_status
    `,
  },
  form_sdoh: {
    ids: { form: "id", patient: "pid", login: "user" },
    dates: "date",
    freeText: `
      housingotherinput worknotemployed careotherinput debtotherinput moneyotherinput transportotherinput
      medicalotherinput dentistotherinput stressotherinput discrimotherinput displaceotherinput contactotherinput
      additional_notes
    `,
    none: `
      groupname authorized activity education disability housing workfulltime workparttime worktemporary
      workseasonal worklooking workretired workdisabled workstudent worknotans workhours hhincome hhsize careno
      careunder5 care5to12 careover12 carespecneeds caredisabled careelderly careother debtno debtmedical
      debtcreditcards debtrent debtstudentloans debttaxes debtlegal debtcar debtutilities debtother moneyno
      moneyfood moneymedical moneychildcare moneyutilities moneyphone moneyrent moneytransportation moneyclothing
      moneyeducation moneyother transportationno transportmedical transportfood transportwork transportschool
      transportfamily transportother medicalno medicalnoinsurance medicalcopay medicalnotcovered medicalwork
      medicalnoprovider medicalunderstand medicaltrust medicalchildcare medicalother dentist social stress
      stressno stressdeath stressdivorce stressjob stressmoved stressillness stressvictim stresswitness
      stresslegal stresshomeless stressincarcerated stressbankruptcy stressmarriage stressbirth stressadultchild
      stressother safety partnersafety female addiction armedservices refugee discrimno discrimrace discrimgender
      discrimsexpref discrimgenexp discrimreligion discrimdisability discrimage discrimweight discrimses
      discrimedu discrimmarital discrimcitizen discrimaccent discrimcriminalhist discrimother displaceno
      displacework displacehousing displacehealth displacelaw displaceedu displacepublic displaceclubs
      displacegovt displacefinance displaceother contact totalscore
    `,
  },
  form_soap: {
    ids: { form: "id", patient: "pid", login: "user" },
    dates: "date",
    freeText: "subjective objective assessment plan",
    none: "groupname authorized activity",
  },
  form_taskman: {
    ids: { form: "ID", user: "FROM_ID TO_ID", patient: "PATIENT_ID", document: "DOC_ID", encounter: "ENC_ID" },
    dates: "REQ_DATE COMPLETED_DATE",
    freeText: "COMMENT USERFIELD_1",
    none: "DOC_TYPE METHOD COMPLETED",
  },
  form_track_anything: {
    ids: { form: "id", patient: "pid", "tracked item": "procedure_type_id" },
    dates: "date",
    freeText: "comment",
  },
  form_track_anything_results: {
    ids: { form: "id track_anything_id", "tracked item": "itemid" },
    dates: "track_timestamp",
    freeText: "result comment notes",
  },
  form_transfer_summary: {
    ids: { form: "id", patient: "pid", login: "user" },
    names: "client_name provider transfer_to",
    dates: "date transfer_date",
    freeText: "status_of_admission diagnosis intervention_provided overall_status_of_discharge",
    none: "groupname authorized activity",
  },
  form_treatment_plan: {
    ids: { form: "id", patient: "pid", login: "user" },
    names: "client_name provider",
    dates: "date admit_date",
    mrn: "client_number",
    freeText: `
      presenting_issues patient_history medications anyother_relevant_information diagnosis treatment_received
      recommendation_for_follow_up
    `,
    none: "groupname authorized activity",
  },
  form_vital_details: {
    ids: { form: "id form_id" },
    freeText: "reason_description",
    none: `
      vitals_column interpretation_list_id interpretation_option_id interpretation_codes interpretation_title
      reason_code reason_status
    `,
  },
  form_vitals: {
    ids: { form: "id", uuid: "uuid", patient: "pid", login: "user" },
    dates: "date last_updated",
    otherUnique: "external_id",
    freeText: "note",
    measured: "bps bpd",
    none: `
      groupname authorized activity weight height temperature temp_method pulse respiration BMI BMI_status
      waist_circ head_circ oxygen_saturation oxygen_flow_rate ped_weight_height ped_bmi ped_head_circ
      inhaled_oxygen_concentration
    `,
  },
  form_vitals_calculation: {
    ids: { form: "id", uuid: "uuid", encounter: "encounter", patient: "pid", user: "created_by updated_by" },
    dates: "date_start date_end created_at updated_at",
    none: "calculation_id",
  },
  form_vitals_calculation_components: {
    ids: { form: "id", uuid: "fvc_uuid" },
    none: "vitals_column value value_string value_unit component_order",
  },
  form_vitals_calculation_form_vitals: {
    ids: { uuid: "fvc_uuid", form: "vitals_id" },
  },
} as const satisfies Readonly<Record<string, TableColumns>>;
